using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Catalogue;

/// <summary>What is known of a file that has come in part; <c>FILE.part.json</c> beside <c>FILE.part</c>. Without it a part is of no use.</summary>
/// <param name="Address">Where it comes from, without the query, which may hold a secret.</param>
/// <param name="ETag">The server's strong name for this version of the file.</param>
/// <param name="LastModified">When the server's file last changed; used where there is no <paramref name="ETag"/>.</param>
/// <param name="Length">Bytes of the whole file; null where the server does not say.</param>
internal sealed record DownloadState(string Address, string? ETag, DateTimeOffset? LastModified, long? Length)
{
    /// <summary>Under what condition the rest is the rest of the same file; null where nothing tells, and the download begins anew.</summary>
    public RangeConditionHeaderValue? Condition =>
        EntityTagHeaderValue.TryParse(ETag, out var tag) ? new RangeConditionHeaderValue(tag) : LastModified is { } at ? new RangeConditionHeaderValue(at) : null;

    /// <summary>The state that an answer begins with.</summary>
    public static DownloadState Of(Uri address, HttpResponseMessage response) => new(
        NameOf(address),
        response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null,
        response.Content.Headers.LastModified,
        response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.Length : response.Content.Headers.ContentLength);

    /// <summary>Whether an answer that begins with another state carries the rest of this file. It may leave out all but the name that the condition was of.</summary>
    public bool IsOf(DownloadState answer) =>
        (ETag is not null ? answer.ETag == ETag : answer.LastModified is null || answer.LastModified == LastModified) && (Length is null || answer.Length is null || answer.Length == Length);

    /// <summary>The state beside a part that came from an address; null where there is none.</summary>
    public static DownloadState? Read(string path, Uri address)
    {
        try
        {
            var state = File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), DownloadJson.Default.DownloadState) : null;
            return state?.Address == NameOf(address) ? state : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes it.</summary>
    public void Write(string path) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, this, DownloadJson.Default.DownloadState), durable: false);

    /// <summary>An address as it may be shown and kept.</summary>
    public static string NameOf(Uri address) => address.GetLeftPart(UriPartial.Path);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DownloadState))]
internal sealed partial class DownloadJson : JsonSerializerContext;
