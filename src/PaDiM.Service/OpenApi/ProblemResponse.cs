using PaDiM.Service.Images;

namespace PaDiM.Service.OpenApi;

/// <summary>The body of every error (RFC 9457).</summary>
/// <param name="Type">Kind of problem, as a URI.</param>
/// <param name="Title">Kind of problem, in words.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">What is wrong with this request, and what to do.</param>
/// <param name="Instance">Path of the request.</param>
/// <param name="Code">Stable code in snake_case, for clients to act on.</param>
/// <param name="TraceId">Identifier of the request in the service's log.</param>
/// <param name="Errors">The refused files, for an upload without a valid file.</param>
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
