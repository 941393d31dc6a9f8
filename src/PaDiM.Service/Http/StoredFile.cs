using Microsoft.Net.Http.Headers;

namespace PaDiM.Service.Http;

/// <summary>
/// Answers with a file that has a strong validator, so that clients can ask whether it has changed
/// (<c>If-None-Match</c>), and read on where a download broke off (<c>Range</c>, <c>If-Range</c>).
/// </summary>
/// <param name="content">The file; disposed after the answer.</param>
/// <param name="mediaType">Its media type.</param>
/// <param name="fileName">The name to save it under.</param>
/// <param name="tag">A hash of the content, without quotes.</param>
internal sealed class StoredFile(Stream content, string mediaType, string fileName, string tag) : IResult
{
    public async Task ExecuteAsync(HttpContext context)
    {
        var length = content.Length;
        var asked = context.Request.GetTypedHeaders();
        // The framework takes every unit for bytes, and a date, which no file here has, or a validator that it cannot
        // read for one that matches.
        var isOther = context.Request.Headers.IfRange.Count > 0 && asked.IfRange?.EntityTag is null;
        if (asked.Range?.Unit != "bytes" || isOther)
            context.Request.Headers.Remove(HeaderNames.Range);
        // Streamed in pieces, so that a reader that is too slow is noticed between two of them.
        await TypedResults
            .Stream(content, mediaType, fileName, entityTag: CreateTag(tag), enableRangeProcessing: true)
            .ExecuteAsync(context);
        var response = context.Response;
        if (
            response.HasStarted
            || response.StatusCode switch
            {
                StatusCodes.Status412PreconditionFailed => Problems.PreconditionFailed(),
                StatusCodes.Status416RangeNotSatisfiable => Problems.RangeNotSatisfiable(length),
                _ => null,
            }
                is not { } problem
        )
            return;
        // A problem is no file, and is not kept.
        response.ContentLength = null;
        response.Headers.Remove(HeaderNames.ContentDisposition);
        response.Headers.Remove(HeaderNames.CacheControl);
        await problem.ExecuteAsync(context);
    }

    /// <summary>
    /// Gets whether the client has the current version of something, so that it is not created again.
    /// </summary>
    public static bool IsKnown(HttpRequest request, EntityTagHeaderValue current) =>
        request
            .GetTypedHeaders()
            .IfNoneMatch.Any(known =>
                known.Equals(EntityTagHeaderValue.Any) || known.Compare(current, useStrongComparison: false)
            );

    /// <summary>Creates a validator.</summary>
    public static EntityTagHeaderValue CreateTag(string tag, bool isWeak = false) => new($"\"{tag}\"", isWeak);
}
