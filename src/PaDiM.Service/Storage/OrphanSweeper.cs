using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Onnx.Storage;
using PaDiM.Service.Hosting;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Storage;

/// <summary>
/// Removes what no row speaks of: blobs of deleted images, files of a fit or an upload that a crash cut short; and entries of the audit trail whose time is over. Files younger than the grace time are
/// left alone, since the row comes after the file.
/// </summary>
internal sealed partial class OrphanSweeper(
    IDbContextFactory<PadimDbContext> contexts, DataDirectory data, BlobStore blobs, IOptions<PadimOptions> options, TimeProvider time, ILogger<OrphanSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private DateTime GraceEnd => time.GetUtcNow().UtcDateTime.AddMinutes(-options.Value.OrphanGraceMinutes);

    /// <summary>Sweeps once and gives the number of files removed.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var before = GraceEnd;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var forgotten = time.GetUtcNow().UtcDateTime.AddDays(-options.Value.AuditDays);
        await db.AuditEntries.Where(entry => entry.At < forgotten).ExecuteDeleteAsync(cancellationToken);
        var removed = 0;
        await foreach (var path in FindBlobsAsync(db, before, cancellationToken)) removed += blobs.Remove(path, before) ? 1 : 0;
        foreach (var path in await FindModelFilesAsync(db, before, cancellationToken)) removed += Remove(path, before) ? 1 : 0;
        await RemoveEmptyFoldersAsync(db, cancellationToken);
        return removed + await SweepEvaluationsAsync(db, before, cancellationToken) + SweepEmbeddings();
    }

    /// <summary>What the next sweep would remove, but for caches that have grown old.</summary>
    public async Task<IReadOnlyList<string>> FindAsync(CancellationToken cancellationToken)
    {
        var before = GraceEnd;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = new List<string>();
        await foreach (var path in FindBlobsAsync(db, before, cancellationToken)) found.Add(path);
        found.AddRange(await FindModelFilesAsync(db, before, cancellationToken));
        foreach (var folder in await FindEvaluationsAsync(db, before, cancellationToken)) found.AddRange(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
        return found;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                try
                {
                    if (await SweepAsync(stoppingToken) is var removed and > 0) LogRemoved(removed);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogFailure(e);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    private async IAsyncEnumerable<string> FindBlobsAsync(PadimDbContext db, DateTime before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var candidates in blobs.List().Where(blob => blob.PutAt < before).Chunk(500))
        {
            var names = candidates.Select(blob => blob.Sha256).ToList();
            var known = (await db.Images.Where(i => names.Contains(i.Sha256)).Select(i => i.Sha256).ToListAsync(cancellationToken)).ToHashSet();
            known.UnionWith(await db.Images.Where(i => i.MaskSha256 != null && names.Contains(i.MaskSha256)).Select(i => i.MaskSha256!).ToListAsync(cancellationToken));
            known.UnionWith(await db.Categories.Where(c => c.IgnoreMaskSha256 != null && names.Contains(c.IgnoreMaskSha256)).Select(c => c.IgnoreMaskSha256!).ToListAsync(cancellationToken));
            foreach (var blob in candidates.Where(blob => !known.Contains(blob.Sha256))) yield return blob.Path;
        }
    }

    private async Task<IReadOnlyList<string>> FindModelFilesAsync(PadimDbContext db, DateTime before, CancellationToken cancellationToken)
    {
        // Files of a running fit are as old as its last stage; its job, not the grace time, protects them. Jobs first: one that publishes in between is a model then.
        var running = await db.Jobs.Where(j => j.LeaseExpiresAt != null).Select(j => j.Id).ToListAsync(cancellationToken);
        var models = await db.Models.Select(m => new { m.Category, m.Version, m.FileName }).ToListAsync(cancellationToken);
        // Statistics are as large as models twice over, and only the newest model's can be brought up to date.
        var known = models.Select(m => Path.Combine(data.Models, m.Category, m.FileName))
            .Concat(models.GroupBy(m => m.Category).Select(g => g.MaxBy(m => m.Version)!).Select(m => Path.Combine(data.Models, m.Category, ModelFiles.StatisticsNameOf(m.FileName))))
            .ToHashSet(StringComparer.Ordinal);
        return [.. Directory.EnumerateFiles(data.Models, "*", SearchOption.AllDirectories).Where(path => File.GetLastWriteTimeUtc(path) < before && !IsKnown(path, Path.GetFileName(path)))];

        bool IsKnown(string path, string name) =>
            !name.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal) && (known.Contains(path) || running.Exists(id => name.StartsWith(id, StringComparison.Ordinal)));
    }

    private async Task RemoveEmptyFoldersAsync(PadimDbContext db, CancellationToken cancellationToken)
    {
        foreach (var directory in Directory.EnumerateDirectories(data.Models))
        {
            var category = Path.GetFileName(directory);
            if (!Directory.EnumerateFileSystemEntries(directory).Any() && !await db.Categories.AnyAsync(c => c.Name == category, cancellationToken)) Directory.Delete(directory);
        }
    }

    /// <summary>Folders of maps of evaluations whose job is final or gone.</summary>
    private async Task<IReadOnlyList<string>> FindEvaluationsAsync(PadimDbContext db, DateTime before, CancellationToken cancellationToken)
    {
        var open = await db.Jobs.Where(j => j.State == JobState.Queued || j.State == JobState.Running).Select(j => j.Id).ToListAsync(cancellationToken);
        return [.. Directory.EnumerateDirectories(data.Evaluations).Where(folder => !open.Contains(Path.GetFileName(folder)) && Directory.GetLastWriteTimeUtc(folder) < before)];
    }

    private async Task<int> SweepEvaluationsAsync(PadimDbContext db, DateTime before, CancellationToken cancellationToken)
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
                // Another replica removes it at the same time, or a job that has lost its lease still writes there: next time.
            }
        }
        return removed;
    }

    /// <summary>The cache of embeddings forgets what no fit has read for a while.</summary>
    private int SweepEmbeddings()
    {
        var unused = time.GetUtcNow().UtcDateTime.AddDays(-options.Value.EmbeddingCacheDays);
        return Directory.EnumerateFiles(data.Embeddings, "*", SearchOption.AllDirectories).Count(path => Remove(path, unused));
    }

    private static bool Remove(string path, DateTime before)
    {
        if (File.GetLastWriteTimeUtc(path) >= before) return false;
        File.Delete(path);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} files that nothing refers to were removed")]
    private partial void LogRemoved(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Files that nothing refers to could not be removed")]
    private partial void LogFailure(Exception exception);
}
