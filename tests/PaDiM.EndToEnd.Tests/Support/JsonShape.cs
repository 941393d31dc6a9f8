using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>The part of JSON Schema that OpenAPI documents of this service use, the slow and obvious way.</summary>
/// <param name="document">Holds the named schemas.</param>
public sealed class JsonShape(JsonNode document)
{
    /// <summary>What is wrong with a value, a line a fault; empty for a value that fits.</summary>
    public IEnumerable<string> Faults(JsonNode? schema, JsonNode? value, string at = "$")
    {
        if ((string?)schema?["$ref"] is { } reference)
            return Faults(document["components"]!["schemas"]![reference.Split('/')[^1]], value, at);
        if (schema is not JsonObject)
            return [$"{at}: no schema"];
        // A schema that says nothing of the kind of a value takes any.
        if (schema["type"] is null && schema["allOf"] is null && schema["enum"] is null)
            return [];
        if (value is null)
            return (bool?)schema["nullable"] is true ? [] : [$"{at}: null"];
        if (schema["allOf"] is JsonArray all)
            return all.SelectMany(part => Faults(part, value, at));
        if (schema["enum"] is JsonArray choices)
            return choices.Any(choice => JsonNode.DeepEquals(choice, value))
                ? []
                : [$"{at}: {value} is none of {choices.ToJsonString()}"];
        return ((string?)schema["type"], value.GetValueKind()) switch
        {
            ("object", JsonValueKind.Object) => OfObject(schema, value.AsObject(), at),
            ("array", JsonValueKind.Array) => value
                .AsArray()
                .SelectMany((item, i) => Faults(schema["items"], item, $"{at}[{i}]")),


            ("string", JsonValueKind.String)
            or
            ("number", JsonValueKind.Number)
            or ("boolean", JsonValueKind.True or JsonValueKind.False) => [],
            ("integer", JsonValueKind.Number) when double.IsInteger((double)value) => [],
            var (type, kind) => [$"{at}: {kind} instead of {type}"],
        };
    }

    private IEnumerable<string> OfObject(JsonNode schema, JsonObject value, string at)
    {
        var known = schema["properties"]?.AsObject() ?? [];
        var more = schema["additionalProperties"] as JsonObject;
        foreach (var name in schema["required"]?.AsArray() ?? [])
            if (!value.ContainsKey((string)name!))
                yield return $"{at}.{name}: missing";
        foreach (var (name, member) in value)
        {
            if ((known[name] ?? more) is not { } its)
                yield return $"{at}.{name}: unknown";
            else
                foreach (var fault in Faults(its, member, $"{at}.{name}"))
                    yield return fault;
        }
    }
}
