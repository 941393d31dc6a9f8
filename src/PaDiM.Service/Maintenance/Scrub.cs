using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Models;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Reads every file that a row refers to and verifies its hash, because disks decay silently and a backup that is never
/// read is worth nothing. Deletes nothing. A damaged model file is written again if its model is in memory.
/// </summary>
internal sealed class Scrub(
    IDatabaseEngine engine,
    IObjectStore objects,
    ModelFiles files,
    ModelCache cache,
    OrphanSweeper orphans,
    IOptions<MaintenanceOptions> options,
    TimeProvider time
)
{
    /// <summary>Runs a scrub.</summary>
    /// <param name="progress">Receives the number of files read.</param>
    /// <param name="cancellationToken">Ends the scrub without a report.</param>
    public async Task<ScrubReport> RunAsync(IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var startedAt = time.GetUtcNow().UtcDateTime;
        var read = 0;
        var bytes = 0L;
        var faults = new List<(FileReference File, ModelState Fault)>();
        await using var db = engine.CreateDbContext();
        await using var ledger = engine.CreateLedger();
        var database = await engine.CheckIntegrityAsync(db, cancellationToken);
        if (database == "ok")
            database = await engine.CheckIntegrityAsync(ledger, cancellationToken);
        // The list comes first, because rows change while the files are read.
        foreach (
            var reference in await FileReferences
                .ListAsync(db, ledger, cancellationToken)
                .ToListAsync(cancellationToken)
        )
        {
            var began = time.GetTimestamp();
            var length = (await objects.FindAsync(reference.Path, cancellationToken))?.Length ?? 0;
            if (await ValidateAsync(reference, cancellationToken) is { } fault)
                faults.Add((reference, fault));
            read = read + 1;
            bytes = bytes + length;
            progress?.Report(read);
            await PauseAsync(length, time.GetElapsedTime(began), cancellationToken);
        }
        // Images and versions may have been deleted, and statistics replaced, in the meantime. A second look at the
        // rows distinguishes that from a loss.
        if (faults.Count > 0)
        {
            var spokenOf = await FileReferences
                .ListAsync(db, ledger, cancellationToken)
                .Select(reference => reference.Path)
                .ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
            faults.RemoveAll(found => !spokenOf.Contains(found.File.Path));
        }
        var mended = new List<(FileReference File, ModelState Fault)>();
        foreach (var found in faults)
            if (found.File.Model is { } stored && await TryRepairAsync(stored, cancellationToken))
                mended.Add(found);
        var lost = faults.Except(mended).ToLookup(found => found.Fault == ModelState.Missing);
        var strangers = (await orphans.FindAsync(cancellationToken)).Select(path => new ScrubbedFile(path, null, null));
        return new ScrubReport(
            startedAt,
            time.GetUtcNow().UtcDateTime,
            database,
            read,
            bytes,
            CreateFindings(lost[true]),
            CreateFindings(lost[false]),
            CreateFindings(mended),
            ScrubFindings.From([.. strangers])
        );

        static ScrubFindings CreateFindings(IEnumerable<(FileReference File, ModelState Fault)> found) =>
            ScrubFindings.From([
                .. found.Select(item => new ScrubbedFile(item.File.Path, item.File.Kind, item.File.Category)),
            ]);
    }

    /// <summary>
    /// Gets the fault of a file, or null. Missing statistics are no fault: the next fit starts from the images.
    /// </summary>
    private async Task<ModelState?> ValidateAsync(FileReference reference, CancellationToken cancellationToken)
    {
        try
        {
            // For models, the registry must know as well.
            if (reference.Model is { } stored)
                return await files.CheckAsync(stored, cancellationToken) is null ? null : files.GetState(stored);
            return await reference.IsWholeAsync(objects, cancellationToken) ? null : ModelState.Corrupt;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return reference.Kind == FileKind.Statistics && e is FileNotFoundException ? null : ModelState.Missing;
        }
    }

    /// <summary>Rewrites a damaged file from the model in memory, if there is one.</summary>
    private async Task<bool> TryRepairAsync(StoredModel stored, CancellationToken cancellationToken)
    {
        try
        {
            return cache.Peek(stored) is { } held
                && await files.RewriteAsync(stored, held.Scorer.Model, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Leaves the disk to others, as the configured rate requires.</summary>
    private Task PauseAsync(long bytes, TimeSpan taken, CancellationToken cancellationToken)
    {
        if (options.Value.ScrubMegabytesPerSecond is not (> 0 and var pace))
            return Task.CompletedTask;
        var rest = TimeSpan.FromSeconds(bytes / (pace * 1e6)) - taken;
        return rest > TimeSpan.FromMilliseconds(1) ? Task.Delay(rest, time, cancellationToken) : Task.CompletedTask;
    }
}
