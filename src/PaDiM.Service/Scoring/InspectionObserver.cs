using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>
/// What another feature does with every inspection, on the replica that scored it. Registered as a singleton, as
/// category observers are.
/// </summary>
/// <param name="Scored">
/// Called on the thread of the request, before its answer. It must return at once: put what is wanted into a bounded
/// queue, and count what does not fit. Only where the category asks for it may the task end later; the answer then waits.
/// </param>
internal sealed record InspectionObserver(Func<ScoredInspection, ValueTask> Scored);

/// <summary>An inspection with what made it.</summary>
/// <param name="Inspection">What is recorded.</param>
/// <param name="Models">The snapshots that scored the photograph.</param>
/// <param name="Scores">Their results. Holding one holds its map.</param>
/// <param name="File">The photograph as received. Holding it holds its memory.</param>
internal sealed record ScoredInspection(
    Inspection Inspection,
    PartModels Models,
    IReadOnlyList<ModelScore> Scores,
    RequestFile File
);
