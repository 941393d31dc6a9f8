using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Copies the data of a service to another place, even while it is used: first the database as of one moment, then the
/// objects that this copy refers to. Objects never change under their names, so concurrent writes do no harm. The hash
/// of every object is verified during the copy. The database is put into place last, so an interrupted copy is either
/// none or still the previous one.
/// </summary>
internal sealed class DataCopy(DataPlace source, DataPlace target, TimeProvider time)
{
    /// <summary>
    /// If an object is deleted between the copy of the database and its own copy, the database is copied again, up to
    /// this often.
    /// </summary>
    private const int MaxRounds = 5;

    /// <summary>Objects that are copied at a time where one of the stores is in the network.</summary>
    private const int ParallelCopies = 8;

    private readonly ConcurrentDictionary<string, bool> _verified = new(StringComparer.Ordinal);
    private int _copied,
        _kept;
    private long _bytes;

    /// <summary>Copies from one data directory to another.</summary>
    public DataCopy(DataDirectory source, DataDirectory target, TimeProvider time)
        : this(new DataPlace(source, time), new DataPlace(target, time), time) { }

    /// <summary>Creates or updates a backup in a folder. Valid files in the target are not copied again.</summary>
    /// <exception cref="IOException">A folder is not what it must be, or the disk is full.</exception>
    public async Task<CopyReport> BackUpAsync(CancellationToken cancellationToken)
    {
        var folder = target.Directory;
        ThrowIfNested();
        source.ThrowIfAbsent();
        if (File.Exists(folder.Database) && !File.Exists(folder.BackupMark))
            throw new IOException($"{folder.Root} is a data directory and not a backup. Nothing was changed.");
        Directory.CreateDirectory(folder.Root);
        // The mark of the previous backup stays valid until this one is complete.
        if (!File.Exists(folder.BackupMark))
            File.WriteAllText(folder.BackupMark, "{}");
        var report = await RunAsync(upgrade: false, cancellationToken);
        Prune(report.Lost);
        AtomicFile.Write(folder.BackupMark, stream => JsonSerializer.Serialize(stream, report, Reports.Json));
        return report;
    }

    /// <summary>Restores from a backup in a folder.</summary>
    /// <exception cref="IOException">The target is not empty, the source has no database, or the disk is full.</exception>
    public async Task<CopyReport> RestoreAsync(CancellationToken cancellationToken)
    {
        ThrowIfNested();
        if (!File.Exists(source.Directory.Database))
            throw new IOException(
                $"{source.Directory.Root} has no {Path.GetFileName(source.Directory.Database)}: it is not a backup, or "
                    + "an incomplete one."
            );
        if (
            target.IsFolder
            && Directory.Exists(target.Directory.Root)
            && Directory.EnumerateFileSystemEntries(target.Directory.Root).Any()
        )
            throw new IOException(
                $"{target.Directory.Root} is not empty; restore into a new folder. Nothing was changed."
            );
        // A backup of an older version can be upgraded here, because this is a copy.
        var report = await MoveAsync(cancellationToken);
        var noted = ReadLostFiles();
        return report with
        {
            Lost =
            [
                .. report.Lost.Select(file =>
                    file.Fault == LossFault.Missing ? noted.GetValueOrDefault(file.Path, file) : file
                ),
            ],
        };
    }

    /// <summary>
    /// Copies to another database, another store, or both. What an interrupted copy has stored is verified and kept.
    /// </summary>
    /// <exception cref="IOException">The target has a database with rows, the source has none, or the disk is full.
    /// </exception>
    public async Task<CopyReport> MigrateAsync(CancellationToken cancellationToken)
    {
        // Only the database moves, for example to a server beside the same files.
        if (source.Directory.Root != target.Directory.Root || source.HasServer == target.HasServer)
            ThrowIfNested();
        source.ThrowIfAbsent();
        source.Directory.ThrowIfBackup();
        return await MoveAsync(cancellationToken);
    }

    private async Task<CopyReport> MoveAsync(CancellationToken cancellationToken)
    {
        if (!await target.IsEmptyAsync(cancellationToken))
            throw new IOException($"The database {target.Location} is not empty. Nothing was changed.");
        Directory.CreateDirectory(target.Directory.Root);
        return await RunAsync(upgrade: true, cancellationToken);
    }

    /// <summary>Gets the files that the backup's own report lists as lost, and why.</summary>
    private Dictionary<string, LostFile> ReadLostFiles()
    {
        try
        {
            return (
                JsonSerializer
                    .Deserialize<CopyReport>(File.ReadAllBytes(source.Directory.BackupMark), Reports.Json)
                    ?.Lost
                ?? []
            ).ToDictionary(file => file.Path, StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }

    private void ThrowIfNested()
    {
        var (from, to) = (source.Directory.Root, target.Directory.Root);
        foreach (var (inner, outer) in new[] { (from, to), (to, from) })
            if (
                (inner + Path.DirectorySeparatorChar).StartsWith(
                    outer + Path.DirectorySeparatorChar,
                    StringComparison.Ordinal
                )
            )
                throw new IOException($"{inner} is inside {outer}; copy to a separate folder.");
    }

    private async Task<CopyReport> RunAsync(bool upgrade, CancellationToken cancellationToken)
    {
        var database = target.Directory.Database;
        // Leftovers of a killed copy.
        foreach (var name in (string[])[database, target.Directory.Ledger])
        foreach (
            var leftover in Directory.EnumerateFiles(
                target.Directory.Root,
                $"{Path.GetFileName(name)}{AtomicFile.TemporaryMark}*"
            )
        )
            File.Delete(leftover);
        IReadOnlyList<LostFile> lost = [];
        for (var round = 1; ; round++)
        {
            var madeAt = time.GetUtcNow().UtcDateTime;
            var lostBefore = lost;
            var snapshot = $"{database}{AtomicFile.TemporaryMark}{Guid.NewGuid():n}";
            var ledger = $"{target.Directory.Ledger}{AtomicFile.TemporaryMark}{Guid.NewGuid():n}";
            try
            {
                await source.SnapshotAsync(snapshot, cancellationToken);
                await source.SnapshotLedgerAsync(ledger, cancellationToken);
                lost = await CopyObjectsAsync(snapshot, ledger, upgrade, cancellationToken);
                if (lost.Count == 0 || lost.SequenceEqual(lostBefore) || round == MaxRounds)
                {
                    await target.PublishLedgerAsync(ledger, cancellationToken);
                    await target.PublishAsync(snapshot, cancellationToken);
                    return new CopyReport(madeAt, _copied, _kept, _bytes, lost);
                }
            }
            finally
            {
                File.Delete(snapshot);
                File.Delete(ledger);
            }
        }
    }

    /// <summary>
    /// Copies the objects that a copy of the database refers to. Returns those without a valid copy.
    /// </summary>
    private async Task<IReadOnlyList<LostFile>> CopyObjectsAsync(
        string snapshot,
        string ledgerSnapshot,
        bool upgrade,
        CancellationToken cancellationToken
    )
    {
        await using var db = DataPlace.Open(snapshot);
        await using var ledger = DataPlace.OpenLedger(ledgerSnapshot);
        foreach (var context in (DbContext[])[db, ledger])
            if (upgrade)
            {
                await Database.ThrowIfNewerAsync(context, source.Location, cancellationToken);
                await context.Database.MigrateAsync(cancellationToken);
            }
            else
                await Database.ThrowIfOtherAsync(context, source.Location, cancellationToken);
        var lost = new ConcurrentQueue<LostFile>();
        await Parallel.ForEachAsync(
            FileReferences.ListAsync(db, ledger, cancellationToken),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = source.Objects.IsLocal && target.Objects.IsLocal ? 1 : ParallelCopies,
                CancellationToken = cancellationToken,
            },
            async (reference, token) =>
            {
                if (await CopyAsync(reference, token) is { } fault)
                    lost.Enqueue(new LostFile(reference.Path, reference.Kind, reference.Category, fault));
            }
        );
        return [.. lost.OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Copies one object if needed. Returns the fault of the source, or null if the target now has a valid object.
    /// Missing statistics are no loss.
    /// </summary>
    private async Task<LossFault?> CopyAsync(FileReference reference, CancellationToken cancellationToken)
    {
        if (_verified.ContainsKey(reference.Path))
            return null;
        if (await IsWholeAsync(reference, cancellationToken))
            Interlocked.Increment(ref _kept);
        else
        {
            long bytes;
            try
            {
                bytes = await StoreAsync(reference, cancellationToken);
            }
            catch (SourceException e)
            {
                // Statistics are a cache, and photographs make room for later ones.
                return e.Fault == LossFault.Missing && reference.Kind is (FileKind.Statistics or FileKind.Inspection)
                    ? null
                    : e.Fault;
            }
            // Statistics carry their own checksum instead of a hash in a row.
            if (reference.Sha256 is null && !await reference.IsWholeAsync(target.Objects, cancellationToken))
            {
                await target.Objects.DeleteAsync(reference.Path, cancellationToken);
                return LossFault.Damaged;
            }
            Interlocked.Increment(ref _copied);
            Interlocked.Add(ref _bytes, bytes);
        }
        _verified[reference.Path] = true;
        return null;
    }

    private async Task<long> StoreAsync(FileReference reference, CancellationToken cancellationToken)
    {
        if (target.Objects.IsLocal || reference.Kind is FileKind.Model or FileKind.Statistics)
            return (
                await target.Objects.WriteAsync(
                    reference.Path,
                    stream => CopyAsync(reference, stream, cancellationToken),
                    replace: true,
                    cancellationToken
                )
            ).Bytes;
        // An image is small, and needs no copy on the disk of this machine.
        using var held = new MemoryStream();
        await CopyAsync(reference, held, cancellationToken);
        await target.Objects.PutAsync(reference.Path, held.ToArray(), reference.Sha256!, cancellationToken);
        return held.Length;
    }

    private async Task<bool> IsWholeAsync(FileReference reference, CancellationToken cancellationToken)
    {
        try
        {
            if (await target.Objects.FindAsync(reference.Path, cancellationToken) is not { } found)
                return false;
            // A bucket has verified the bytes against this hash when they were put.
            return found.Sha256 is { } sha256 && reference.Sha256 is not null
                ? sha256 == reference.Sha256
                : await reference.IsWholeAsync(target.Objects, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task CopyAsync(FileReference reference, Stream to, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var stream = await ReadingAsync(() => source.Objects.OpenAsync(reference.Path, cancellationToken));
        var piece = new byte[1 << 18];
        for (int read; (read = await ReadingAsync(() => stream.ReadAsync(piece, cancellationToken))) > 0; )
        {
            hash.AppendData(piece, 0, read);
            await to.WriteAsync(piece.AsMemory(0, read), cancellationToken);
        }
        if (reference.Sha256 is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) != reference.Sha256)
            throw new SourceException(LossFault.Damaged);
    }

    /// <summary>
    /// Distinguishes a failing source, which loses one file, from a failing target, which ends the copy.
    /// </summary>
    private static async ValueTask<T> ReadingAsync<T>(Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceException(
                e is FileNotFoundException or DirectoryNotFoundException ? LossFault.Missing : LossFault.Unreadable,
                e
            );
        }
    }

    private sealed class SourceException(LossFault fault, Exception? inner = null)
        : Exception($"A file of the source is {fault}.", inner)
    {
        public LossFault Fault => fault;
    }

    /// <summary>
    /// Deletes files that the new copy of the database does not refer to. This runs after the database is in place,
    /// because until then the previous copy may still be needed. Files that are lost at the source are kept: an earlier
    /// copy, even one that cannot be read now, may be all that is left.
    /// </summary>
    private void Prune(IReadOnlyList<LostFile> lost)
    {
        var needed = _verified.Keys.Concat(lost.Select(file => file.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (
            var folder in new[]
            {
                target.Directory.Images,
                target.Directory.Models,
                target.Directory.Inspections,
            }.Where(Directory.Exists)
        )
        foreach (
            var path in Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(path =>
                    !needed.Contains(
                        Path.GetRelativePath(target.Directory.Root, path).Replace(Path.DirectorySeparatorChar, '/')
                    )
                )
        )
            File.Delete(path);
    }
}

/// <summary>The result of a backup or restore.</summary>
/// <param name="MadeAt">Time of the copied database state.</param>
/// <param name="Copied">Number of copied files.</param>
/// <param name="Kept">Number of valid files that already existed.</param>
/// <param name="Bytes">Number of copied bytes.</param>
/// <param name="Lost">Files that are missing, damaged or unreadable at the source and not in the copy. For a restore,
/// with the fault that the backup found.</param>
internal sealed record CopyReport(DateTime MadeAt, int Copied, int Kept, long Bytes, IReadOnlyList<LostFile> Lost);

/// <summary>A file that is missing from a copy.</summary>
/// <param name="Path">Path within the data directory, or key in the bucket.</param>
/// <param name="Kind">Kind of file.</param>
/// <param name="Category">Category; for an image of several categories, one of them.</param>
/// <param name="Fault">What is wrong with the file at the source.</param>
internal sealed record LostFile(string Path, FileKind Kind, string Category, LossFault Fault);

/// <summary>Why a file is lost.</summary>
internal enum LossFault
{
    /// <summary>The file does not exist.</summary>
    Missing,

    /// <summary>The file does not match its hash.</summary>
    Damaged,

    /// <summary>The system cannot read the file: a bad sector, a lost disk, or missing permissions.</summary>
    Unreadable,
}
