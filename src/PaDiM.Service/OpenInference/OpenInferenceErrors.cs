using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>Writes problems as the protocol does: one text, which begins with the problem's code.</summary>
internal sealed class OpenInferenceErrors() : ProblemFormat("/v2")
{
    public override Task WriteAsync(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        return context.Response.WriteAsJsonAsync(new ErrorResponse(GetText(problem)), context.RequestAborted);
    }

    /// <summary>Gets the text of a problem.</summary>
    public static string GetText(Problem problem) => $"{problem.Code}: {problem.Detail}";

    /// <param name="Error">What is wrong, and what to do.</param>
    private sealed record ErrorResponse(string Error);
}
