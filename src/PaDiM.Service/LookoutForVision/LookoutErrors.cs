using PaDiM.Engine.Faults;
using PaDiM.Service.Http;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// Writes problems as services of AWS do: the kind in a header, by which the SDKs choose an exception, and a message, which
/// begins with the problem's code.
/// </summary>
internal sealed class LookoutErrors() : ProblemFormat(LookoutFeature.Root)
{
    private const string TypeHeader = "x-amzn-ErrorType",
        RequestHeader = "x-amzn-RequestId",
        Project = "project",
        Model = "model";

    /// <summary>Names the request as the SDKs expect it.</summary>
    public static void NameRequest(HttpContext context) =>
        context.Response.Headers[RequestHeader] = RequestIdentity.GetTraceId(context);

    public override Task WriteAsync(HttpContext context, Problem problem)
    {
        NameRequest(context);
        context.Response.Headers[TypeHeader] = GetKind(problem);
        context.Response.StatusCode = problem.Status;
        var isAboutResource =
            problem.Status is StatusCodes.Status404NotFound or StatusCodes.Status409Conflict
            && problem.Code != ProblemCodes.RouteNotFound;
        return context.Response.WriteAsJsonAsync(
            new ErrorResponse(
                $"{problem.Code}: {problem.Detail}",
                isAboutResource ? context.GetRouteValue("category") as string : null,
                !isAboutResource ? null
                    : problem.Code == ProblemCodes.CategoryNotFound ? Project
                    : Model
            ),
            LookoutJson.Options,
            context.RequestAborted
        );
    }

    private static string GetKind(Problem problem) =>
        problem.Code switch
        {
            ProblemCodes.Unauthenticated => "MissingAuthenticationTokenException",
            ProblemCodes.SignatureInvalid => "InvalidSignatureException",
            ProblemCodes.RouteNotFound or ProblemCodes.MethodNotAllowed => "UnknownOperationException",
            _ => problem.Status switch
            {
                StatusCodes.Status401Unauthorized => "UnrecognizedClientException",
                StatusCodes.Status403Forbidden => "AccessDeniedException",
                StatusCodes.Status404NotFound => "ResourceNotFoundException",
                StatusCodes.Status409Conflict => "ConflictException",
                StatusCodes.Status429TooManyRequests => "ThrottlingException",
                < StatusCodes.Status500InternalServerError => "ValidationException",
                _ => "InternalServerException",
            },
        };

    private sealed record ErrorResponse(string Message, string? ResourceId, string? ResourceType);
}
