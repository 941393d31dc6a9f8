using PaDiM.Service.Images;

namespace PaDiM.Service.OpenApi;

/// <summary>What every error looks like (RFC 9457).</summary>
/// <param name="Type">Names the kind of problem.</param>
/// <param name="Title">The kind of problem in words.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">What is wrong with this request, and what to do.</param>
/// <param name="Instance">Path of the request.</param>
/// <param name="Code">Stable, snake_case: decide by it.</param>
/// <param name="TraceId">Finds the request in the service's log.</param>
/// <param name="Errors">The files that were refused, of an upload without a good one.</param>
internal sealed record ProblemResponse(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Instance,
    string Code,
    string TraceId,
    IReadOnlyList<RejectedFile>? Errors
);
