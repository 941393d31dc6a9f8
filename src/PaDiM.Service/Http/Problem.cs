using Microsoft.AspNetCore.Mvc;
using PaDiM.Engine.Faults;

namespace PaDiM.Service.Http;

/// <summary>An expected failure: an RFC 9457 response with a stable code and a detail that says what to do.</summary>
/// <param name="Code">Stable code in snake_case, for clients to act on.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Detail">What is wrong with this request, and what to do.</param>
internal sealed record Problem(string Code, int Status, string Detail) : IResult
{
    /// <summary>Gets the code and the detail, which a job that fails for this reason keeps.</summary>
    public UserFault Fault => new(Code, Detail);

    /// <summary>Number of seconds after which to retry.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Additional members, such as the errors of individual files.</summary>
    public object? Extra { get; init; }

    public Task ExecuteAsync(HttpContext context)
    {
        if (RetryAfter is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (ProblemFormat.Find(context) is { } own)
            return own.WriteAsync(context, this);
        var path = context.Request.PathBase + context.Request.Path;
        var details = ToProblemDetails(path.Value ?? "", RequestIdentity.GetTraceId(context));
        context.Response.StatusCode = Status;
        return context.Response.WriteAsJsonAsync(
            details,
            options: null,
            contentType: "application/problem+json",
            context.RequestAborted
        );
    }

    /// <summary>Creates the body of the response.</summary>
    /// <param name="path">Path of the request.</param>
    /// <param name="traceId">Identifier of the request in the log and of its trace.</param>
    public ProblemDetails ToProblemDetails(string path, string traceId)
    {
        var details = new ProblemDetails
        {
            Type = $"urn:padim:problem:{Code}",
            Title = Title(Code),
            Status = Status,
            Detail = Detail,
            Instance = path,
            Extensions = { ["code"] = Code, ["traceId"] = traceId },
        };
        if (Extra is not null)
            details.Extensions["errors"] = Extra;
        return details;
    }

    private static string Title(string code) => char.ToUpperInvariant(code[0]) + code[1..].Replace('_', ' ');
}
