using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// The examples of one operation, from the embedded files <c>Examples/*.json</c>, which are keyed by operation.
/// </summary>
internal sealed record OperationExamples
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    private static readonly Dictionary<string, OperationExamples> All = Resources()
        .Where(name => name.StartsWith("OpenApi/Examples/", StringComparison.Ordinal))
        .SelectMany(Read<Dictionary<string, OperationExamples>>)
        .ToDictionary(StringComparer.Ordinal);

    /// <summary>JSON bodies by name.</summary>
    public Dictionary<string, JsonNode> Requests { get; init; } = [];

    /// <summary>Bodies of answers, by status and by name.</summary>
    public Dictionary<string, Dictionary<string, JsonNode>> Responses { get; init; } = [];

    /// <summary>Codes of the problems that the operation answers with.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Codes of single files of a form; the answer is 400 when there is no good file.</summary>
    public IReadOnlyList<string> RejectedFiles { get; init; } = [];

    /// <summary>The examples of an operation; none for one that the files do not know.</summary>
    public static OperationExamples Of(string? operationId) =>
        All.GetValueOrDefault(operationId ?? "") ?? new OperationExamples();

    /// <summary>An embedded file.</summary>
    public static T Read<T>(string resource)
    {
        using var stream = typeof(OperationExamples).Assembly.GetManifestResourceStream(resource)!;
        return JsonSerializer.Deserialize<T>(stream, Options)!;
    }

    private static string[] Resources() => typeof(OperationExamples).Assembly.GetManifestResourceNames();
}
