using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Files;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Deletes files that no row refers to: blobs of deleted images, and files of a fit or upload that a crash interrupted.
/// Files younger than the grace period are kept, because the row is written after the file.
/// </summary>
internal sealed partial class OrphanSweeper(
    IDbContextFactory<PadimDbContext> contexts,
    DataDirectory data,
    IObjectStore objects,
    Duties duties,
    IOptions<MaintenanceOptions> options,
    TimeProvider time,
    ILogger<OrphanSweeper> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>A bucket is listed less often, because every thousand objects cost a request.</summary>
    private static readonly TimeSpan BucketInterval = TimeSpan.FromHours(1);

    private const string Duty = "sweep";

    private long? _bucketSweptAt;

    private DateTime GraceEnd => time.GetUtcNow().UtcDateTime.AddMinutes(-options.Value.OrphanGraceMinutes);

    /// <summary>Sweeps once and returns the number of deleted files.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var removed = await SweepObjectsAsync(cancellationToken);
        return removed + await SweepFilesAsync(cancellationToken);
    }

    /// <summary>Sweeps the data directory, without objects.</summary>
    private async Task<int> SweepFilesAsync(CancellationToken cancellationToken)
    {
        var before = GraceEnd;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await RemoveEmptyFoldersAsync(db, cancellationToken);
        return await SweepEvaluationsAsync(db, before, cancellationToken)
            + SweepEmbeddings()
            + (objects.IsLocal ? 0 : SweepLeftovers(before));
    }

    private async Task<int> SweepObjectsAsync(CancellationToken cancellationToken)
    {
        var before = GraceEnd;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var orphans = await FindObjectsAsync(db, before, cancellationToken);
        return orphans.Count == 0
            ? 0
            : await objects.SweepAsync(orphans, before, token => GetReferencedAsync(db, token), cancellationToken);
    }

    /// <summary>Deletes the files of uploads that a crash interrupted. In a local store they are among the objects.</summary>
    private int SweepLeftovers(DateTime before) =>
        new[] { data.Images, data.Models }
            .SelectMany(folder =>
                Directory.EnumerateFiles(folder, $"*{AtomicFile.TemporaryMark}*", SearchOption.AllDirectories)
            )
            .Count(path => Remove(path, before));

    /// <summary>Gets the files that the next sweep would delete, except expired caches.</summary>
    public async Task<IReadOnlyList<string>> FindAsync(CancellationToken cancellationToken)
    {
        var before = GraceEnd;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await FindObjectsAsync(db, before, cancellationToken);
        var maps = (await FindEvaluationsAsync(db, before, cancellationToken)).SelectMany(folder =>
            Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(data.Root, path))
        );
        return [.. found, .. maps];
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Periodically.RunAsync(
            Interval,
            time,
            async cancellationToken =>
            {
                var removed =
                    objects.IsLocal ? await SweepObjectsAsync(cancellationToken)
                    : IsBucketDue() ? await SweepBucketAsync(cancellationToken)
                    : 0;
                removed += await SweepFilesAsync(cancellationToken);
                if (removed > 0)
                    LogRemoved(removed);
            },
            LogFailure,
            stoppingToken
        );

    /// <summary>One replica an hour lists the bucket.</summary>
    private async Task<int> SweepBucketAsync(CancellationToken cancellationToken)
    {
        await using var lease = await duties.TryBeginAsync(Duty, BucketInterval, cancellationToken);
        if (lease is null)
            return 0;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        var removed = await SweepObjectsAsync(either.Token);
        await lease.CompleteAsync(report: null);
        return removed;
    }

    private bool IsBucketDue()
    {
        if (_bucketSweptAt is { } at && time.GetElapsedTime(at) < BucketInterval)
            return false;
        _bucketSweptAt = time.GetTimestamp();
        return true;
    }

    /// <summary>Gets the keys of objects that are old enough and that no row refers to.</summary>
    private async Task<IReadOnlyList<string>> FindObjectsAsync(
        PadimDbContext db,
        DateTime before,
        CancellationToken cancellationToken
    )
    {
        // Rows first, so that only orphans are kept in memory. The sweep looks at the rows again before it deletes.
        var isReferenced = await GetReferencedAsync(db, cancellationToken);
        var orphans = new List<string>();
        foreach (var prefix in new[] { DataDirectory.ImagesName, DataDirectory.ModelsName })
        await foreach (var stored in objects.ListAsync($"{prefix}/", cancellationToken))
            if (stored.PutAt < before && !isReferenced(stored.Key))
                orphans.Add(stored.Key);
        return orphans;
    }

    /// <summary>Gets whether a row refers to an object, or a running job may publish it.</summary>
    private static async Task<Predicate<string>> GetReferencedAsync(
        PadimDbContext db,
        CancellationToken cancellationToken
    )
    {
        // Files of a running fit are as old as its last stage. They are protected by the job, not by the grace period.
        // Jobs first: a job that publishes in between then has a model.
        var running = await db
            .Jobs.Where(j => j.LeaseExpiresAt != null)
            .Select(j => j.Id)
            .ToListAsync(cancellationToken);
        var known = await FileReferences
            .ListAsync(db, cancellationToken)
            .Select(reference => reference.Path)
            .ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
        return key =>
        {
            var name = key[(key.LastIndexOf('/') + 1)..];
            return !name.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal)
                && (
                    known.Contains(key)
                    || (
                        key.StartsWith($"{DataDirectory.ModelsName}/", StringComparison.Ordinal)
                        && running.Exists(id => name.StartsWith(id, StringComparison.Ordinal))
                    )
                );
        };
    }

    private async Task RemoveEmptyFoldersAsync(PadimDbContext db, CancellationToken cancellationToken)
    {
        foreach (var directory in Directory.EnumerateDirectories(data.Models))
        {
            var category = Path.GetFileName(directory);
            if (
                !Directory.EnumerateFileSystemEntries(directory).Any()
                && !await db.Categories.AnyAsync(c => c.Name == category, cancellationToken)
            )
                Directory.Delete(directory);
        }
    }

    /// <summary>Gets the map folders of evaluations whose job is final or deleted.</summary>
    private async Task<IReadOnlyList<string>> FindEvaluationsAsync(
        PadimDbContext db,
        DateTime before,
        CancellationToken cancellationToken
    )
    {
        var open = await db
            .Jobs.Where(j => j.State == JobState.Queued || j.State == JobState.Running)
            .Select(j => j.Id)
            .ToListAsync(cancellationToken);
        return
        [
            .. Directory
                .EnumerateDirectories(data.Evaluations)
                .Where(folder =>
                    !open.Contains(Path.GetFileName(folder)) && Directory.GetLastWriteTimeUtc(folder) < before
                ),
        ];
    }

    private async Task<int> SweepEvaluationsAsync(
        PadimDbContext db,
        DateTime before,
        CancellationToken cancellationToken
    )
    {
        var removed = 0;
        foreach (var folder in await FindEvaluationsAsync(db, before, cancellationToken))
        {
            try
            {
                removed += Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count();
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // Another replica is deleting it, or a job that lost its lease still writes there. The next sweep tries
                // again.
            }
        }
        return removed;
    }

    /// <summary>Deletes cached embeddings that no fit has read for a while.</summary>
    private int SweepEmbeddings()
    {
        var unused = time.GetUtcNow().UtcDateTime.AddDays(-options.Value.EmbeddingCacheDays);
        return Directory
            .EnumerateFiles(data.Embeddings, "*", SearchOption.AllDirectories)
            .Count(path => Remove(path, unused));
    }

    private static bool Remove(string path, DateTime before)
    {
        if (File.GetLastWriteTimeUtc(path) >= before)
            return false;
        File.Delete(path);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} unreferenced files")]
    private partial void LogRemoved(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not delete unreferenced files")]
    private partial void LogFailure(Exception exception);
}
