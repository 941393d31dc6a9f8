using System.Net;
using System.Text.Json;
using Amazon.S3;
using Amazon.S3.Model;

namespace PaDiM.Service.Objects;

/// <summary>
/// Deletes objects without conditional deletes, which many stores ignore, and safely beside replicas that put the same
/// bytes again.
/// </summary>
/// <remarks>
/// <para>
/// The replica that deletes first puts a mark with the keys, then looks at the rows, then at the age of each object, and
/// deletes. One replica at a time: the mark is put on the condition that there is none.
/// </para>
/// <para>
/// A replica that puts an object looks at the mark afterwards, then at the object, and puts it again if the mark names
/// it or it is gone. If the mark came after that look, the deleting replica sees the new time stamp. If it came before
/// and is gone already, every deletion had ended before the look at the object. See docs/decisions/0029-objects.md.
/// </para>
/// </remarks>
internal sealed class S3Sweep(S3Connection connection, string prefix, TimeProvider time)
{
    private const string MarkKey = "sweep.json";
    private const int BatchKeys = 500,
        Parallelism = 8;

    /// <summary>A mark of this age was left behind by a replica that was killed.</summary>
    private static readonly TimeSpan MarkExpires = TimeSpan.FromMinutes(10);

    /// <summary>The replica that put a mark stops to delete much earlier than others stop to respect it.</summary>
    private static readonly TimeSpan MostDeletion = TimeSpan.FromMinutes(2);

    /// <summary>No object is deleted that was put shortly before the mark, whatever the clocks of machines say.</summary>
    private static readonly TimeSpan LeastAge = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(30),
        Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Gets or sets whether the store knows conditions; null while that is not known.</summary>
    public bool? IsConditional { get; set; }

    /// <summary>
    /// Gets whether an object that was just put must be put again, because a sweep has deleted it or may do so. Waits
    /// for the sweep.
    /// </summary>
    public async Task<bool> MayHaveDeletedAsync(string key, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var isMarked = false;
        while (await FindMarkAsync(cancellationToken) is { IsStale: false } mark && mark.Keys.Contains(key))
        {
            isMarked = true;
            if (time.GetElapsedTime(began) > MostWait)
                throw new ObjectStoreAwayException(
                    $"The object store ({connection.Location}) is being swept.",
                    isRefused: false
                );
            await Task.Delay(Pause, time, cancellationToken);
        }
        return isMarked || await FindAsync(key, cancellationToken) is null;
    }

    public async Task<int> RunAsync(
        IReadOnlyCollection<string> keys,
        DateTime before,
        Func<CancellationToken, Task<Predicate<string>>> getReferenced,
        CancellationToken cancellationToken
    )
    {
        var limit = before + connection.Skew;
        var removed = 0;
        if (IsConditional is not true)
            return removed;
        foreach (var batch in keys.Chunk(BatchKeys))
        {
            if (await TryMarkAsync(batch, cancellationToken) is not { } markedAt)
                return removed;
            var least = markedAt - LeastAge;
            try
            {
                removed += await DeleteAsync(batch, least < limit ? least : limit, getReferenced, cancellationToken);
            }
            // A deletion whose answer was lost may still be under way: then the mark stays until it expires.
            catch (Exception e) when (!ObjectStoreAwayException.IsCauseOf(e))
            {
                await DeleteAsync(MarkKey, CancellationToken.None);
                throw;
            }
            await DeleteAsync(MarkKey, CancellationToken.None);
        }
        return removed;
    }

    /// <summary>Deletes an object.</summary>
    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        connection.SendAsync(
            (client, attempt) => client.DeleteObjectAsync(connection.Bucket, prefix + key, attempt.Token),
            cancellationToken
        );

    private async Task<int> DeleteAsync(
        string[] batch,
        DateTime limit,
        Func<CancellationToken, Task<Predicate<string>>> getReferenced,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        var isReferenced = await getReferenced(cancellationToken);
        var removed = 0;
        await Parallel.ForEachAsync(
            batch.Where(key => !isReferenced(key)),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (key, token) =>
            {
                // The listing may be old; this look is not.
                if (await FindAsync(key, token) is not { } putAt || putAt >= limit)
                    return;
                if (time.GetElapsedTime(began) > MostDeletion)
                    return;
                // Not cancelled half-way: its end must be known before the mark goes.
                await DeleteAsync(key, CancellationToken.None);
                Interlocked.Increment(ref removed);
            }
        );
        return removed;
    }

    /// <summary>Announces a deletion. Returns when, by the clock of the store; null if another replica deletes.</summary>
    private async Task<DateTime?> TryMarkAsync(string[] keys, CancellationToken cancellationToken)
    {
        if (await FindMarkAsync(cancellationToken) is { } mark)
        {
            // The next sweep takes over. This one does not: another replica may just be removing the same mark.
            if (mark.IsStale)
                await DeleteAsync(MarkKey, cancellationToken);
            return null;
        }
        var mine = new MarkContent(Guid.NewGuid(), keys);
        var content = JsonSerializer.SerializeToUtf8Bytes(mine);
        try
        {
            await connection.SendAsync(
                async (client, attempt) =>
                {
                    await using var stream = new MemoryStream(content);
                    return await client.PutObjectAsync(
                        new PutObjectRequest
                        {
                            BucketName = connection.Bucket,
                            Key = prefix + MarkKey,
                            InputStream = stream,
                            AutoCloseStream = false,
                            UseChunkEncoding = false,
                            IfNoneMatch = "*",
                        },
                        attempt.Token
                    );
                },
                cancellationToken
            );
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            // Another replica was faster, or the answer to an earlier attempt was lost.
            if ((await FindMarkAsync(cancellationToken))?.Id != mine.Id)
                return null;
        }
        return await FindAsync(MarkKey, cancellationToken);
    }

    private async Task<Mark?> FindMarkAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await S3Download.OpenAsync(connection, prefix + MarkKey, cancellationToken);
            var age = time.GetUtcNow().UtcDateTime + connection.Skew - GetTime(stream.PutAt);
            var content = await JsonSerializer.DeserializeAsync<MarkContent>(
                stream,
                cancellationToken: cancellationToken
            );
            return new Mark(content!.Id, content.Keys.ToHashSet(StringComparer.Ordinal), age > MarkExpires);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Gets when an object was put, by the clock of the store; null if there is none.</summary>
    private async Task<DateTime?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var found = await connection.SendAsync(
                (client, attempt) => client.GetObjectMetadataAsync(connection.Bucket, prefix + key, attempt.Token),
                cancellationToken
            );
            return GetTime(found.LastModified);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>An object without a time counts as new.</summary>
    private static DateTime GetTime(DateTime? at) => at?.ToUniversalTime() ?? DateTime.MaxValue;

    private sealed record MarkContent(Guid Id, string[] Keys);

    private sealed record Mark(Guid Id, IReadOnlySet<string> Keys, bool IsStale);
}
