using Microsoft.Extensions.Options;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Makes the inspection of every photograph that the line sends, and hands it to those who want it. The only place that
/// does; a score of a version that is not active is a trial, and no inspection.
/// </summary>
internal sealed partial class InspectionFeed(
    IEnumerable<InspectionObserver> observers,
    IOptions<ReplicaOptions> replica,
    TimeProvider time,
    ILogger<InspectionFeed> logger
)
{
    private static readonly ScoreWarning NotRecorded = new(
        "not_recorded",
        "The inspection is not on the disk of the ledger yet, and may be lost. See /health/ready, and send it again "
            + "with the same X-Inspection-Id."
    );

    private readonly InspectionObserver[] _observers = [.. observers];
    private readonly string _replica = replica.Value.ReplicaName;

    /// <summary>
    /// Makes an inspection and hands it over. Returns the answer with its identifier, and with a warning where the category
    /// wants the row to be on the disk and it is not; unchanged for a trial. No failure of an observer reaches the answer.
    /// </summary>
    /// <param name="models">The snapshots that scored.</param>
    /// <param name="file">The photograph.</param>
    /// <param name="part">The client's names.</param>
    /// <param name="deciding">The result that decides.</param>
    /// <param name="scores">The results of all categories.</param>
    /// <param name="answer">What the client gets.</param>
    public async ValueTask<ScoreResponse> ReportAsync(
        PartModels models,
        RequestFile file,
        PartIdentity part,
        ModelScore deciding,
        IReadOnlyList<ModelScore> scores,
        ScoreResponse answer
    )
    {
        if (!deciding.Model.Active)
            return answer;
        var now = time.GetUtcNow();
        var id = part.InspectionId ?? Guid.CreateVersion7(now).ToString("n");
        if (_observers.Length == 0)
            return answer with { InspectionId = id };
        var inspection = new Inspection(
            id,
            models.Category,
            part.Part,
            part.Station,
            part.Lot,
            now.UtcDateTime,
            answer.Decision,
            answer.Score,
            answer.Threshold,
            answer.PValue,
            answer.Category,
            answer.ModelVersion,
            deciding.Model.ThresholdVersion,
            answer.Fallback,
            scores.Count == 1 ? answer.Regions : [.. scores.SelectMany(score => score.Result.Regions)],
            [.. answer.Warnings.Select(warning => warning.Code)],
            answer.Image,
            answer.TimingsMs,
            _replica
        );
        var scored = new ScoredInspection(inspection, models, scores, file);
        var isKept = true;
        foreach (var observer in _observers)
            try
            {
                await observer.Scored(scored);
            }
            catch (InspectionNotKeptException)
            {
                isKept = false;
            }
            catch (Exception e)
            {
                LogFailure(e, inspection.Id, inspection.Category);
            }
        return answer with
        {
            InspectionId = id,
            Warnings = isKept ? answer.Warnings : [.. answer.Warnings, NotRecorded],
        };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Inspection {Id} of {Category} was not taken over")]
    private partial void LogFailure(Exception exception, string id, string category);
}
