using System.Text.Json;
using System.Text.Json.Nodes;

namespace PaDiM.Service.Http;

/// <summary>
/// JSON merge patches (RFC 7396): a member that is named replaces the stored one, null removes it, and everything else
/// stays. Unlike the RFC, a member that the target does not know is refused, because it is a misspelt one.
/// </summary>
internal static class MergePatch
{
    /// <summary>The media type of a merge patch.</summary>
    public const string MediaType = "application/merge-patch+json";

    /// <summary>Applies a patch.</summary>
    /// <param name="current">The stored value, with every member set that is not at its default.</param>
    /// <param name="patch">The patch.</param>
    /// <param name="options">How the service reads and writes JSON.</param>
    /// <exception cref="BadHttpRequestException">The patch is no object, or has an unknown member or one of the wrong
    /// type.</exception>
    public static T Apply<T>(T current, JsonElement patch, JsonSerializerOptions options)
        where T : notnull
    {
        if (patch.ValueKind != JsonValueKind.Object)
            throw Refuse("The patch is no object; send a JSON object with the members to change.");
        try
        {
            var target = JsonSerializer.SerializeToNode(current, options)!.AsObject();
            Merge(target, patch, "$");
            return target.Deserialize<T>(options)!;
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException(e.Message, e);
        }
    }

    /// <summary>Gets whether a patch names a member, also as null.</summary>
    public static bool Names(JsonElement patch, string member) =>
        patch.EnumerateObject().Any(named => named.Name.Equals(member, StringComparison.OrdinalIgnoreCase));

    private static void Merge(JsonObject target, JsonElement patch, string path)
    {
        // JSON is read without regard to case elsewhere as well.
        var known = target.Select(member => member.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in patch.EnumerateObject())
        {
            if (!known.TryGetValue(member.Name, out var name))
                throw new JsonException("The member could not be mapped.", $"{path}.{member.Name}", null, null);
            if (!named.Add(name))
                throw Refuse($"'{name}' is named twice; a patch names a member once.");
            if (member.Value.ValueKind == JsonValueKind.Null)
                target.Remove(name);
            else if (member.Value.ValueKind == JsonValueKind.Object && target[name] is JsonObject inner)
                Merge(inner, member.Value, $"{path}.{name}");
            else
                target[name] = JsonNode.Parse(member.Value.GetRawText());
        }
    }

    private static BadHttpRequestException Refuse(string message) => new(message);
}
