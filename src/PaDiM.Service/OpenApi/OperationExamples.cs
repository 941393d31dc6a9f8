using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// The examples of one operation, from the embedded files <c>Examples/*.json</c>, keyed by operation.
/// </summary>
internal sealed record OperationExamples
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    private static readonly Dictionary<string, OperationExamples> All = Resources()
        .Where(name => name.StartsWith("OpenApi/Examples/", StringComparison.Ordinal))
        .SelectMany(Read<Dictionary<string, OperationExamples>>)
        .ToDictionary(StringComparer.Ordinal);

    /// <summary>Gets JSON request bodies by name.</summary>
    public Dictionary<string, JsonNode> Requests { get; init; } = [];

    /// <summary>Gets response bodies by status and name.</summary>
    public Dictionary<string, Dictionary<string, JsonNode>> Responses { get; init; } = [];

    /// <summary>Gets the codes of the operation's problems.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Gets the codes of individual files of a form; the status is 400 if no file is valid.</summary>
    public IReadOnlyList<string> RejectedFiles { get; init; } = [];

    /// <summary>Gets the examples of an operation, empty if there are none.</summary>
    public static OperationExamples Get(string? operationId) =>
        All.GetValueOrDefault(operationId ?? "") ?? new OperationExamples();

    /// <summary>Reads an embedded file.</summary>
    public static T Read<T>(string resource)
    {
        using var stream = typeof(OperationExamples).Assembly.GetManifestResourceStream(resource)!;
        return JsonSerializer.Deserialize<T>(stream, Options)!;
    }

    private static string[] Resources() => typeof(OperationExamples).Assembly.GetManifestResourceNames();
}
