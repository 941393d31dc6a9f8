using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Copies a data directory, even while a service uses it: first a consistent copy of the database, then the files that
/// this copy refers to. Files never change under their names, so concurrent writes do no harm. The hash of every file
/// is verified during the copy. The database is moved into place last, so an interrupted copy is either no backup or
/// still the previous one.
/// </summary>
internal sealed class DataCopy(DataDirectory source, DataDirectory target, TimeProvider time)
{
    /// <summary>
    /// If a file is deleted between the copy of the database and its own copy, the database is copied again, up to this
    /// often.
    /// </summary>
    private const int MaxRounds = 5;

    private readonly HashSet<string> _verified = new(StringComparer.Ordinal);
    private int _copied,
        _kept;
    private long _bytes;

    /// <summary>Creates or updates a backup. Valid files in the target are not copied again.</summary>
    /// <exception cref="IOException">A folder is not what it must be, or the disk is full.</exception>
    public async Task<CopyReport> BackUpAsync(CancellationToken cancellationToken)
    {
        ThrowIfNested();
        if (!File.Exists(source.Database))
            throw new IOException(
                $"{source.Root} is not a data directory: it has no {Path.GetFileName(source.Database)}."
            );
        if (File.Exists(target.Database) && !File.Exists(target.BackupMark))
            throw new IOException($"{target.Root} is a data directory and not a backup. Nothing was changed.");
        Directory.CreateDirectory(target.Root);
        // The mark of the previous backup stays valid until this one is complete.
        if (!File.Exists(target.BackupMark))
            File.WriteAllText(target.BackupMark, "{}");
        var report = await RunAsync(upgrade: false, cancellationToken);
        Prune(report.Lost);
        AtomicFile.Write(target.BackupMark, stream => JsonSerializer.Serialize(stream, report, Reports.Json));
        return report;
    }

    /// <summary>Restores a data directory from a backup.</summary>
    /// <exception cref="IOException">The target exists and is not empty, the source has no database, or the disk is
    /// full.</exception>
    public async Task<CopyReport> RestoreAsync(CancellationToken cancellationToken)
    {
        ThrowIfNested();
        if (!File.Exists(source.Database))
            throw new IOException(
                $"{source.Root} has no {Path.GetFileName(source.Database)}: it is not a backup, or an "
                    + "incomplete one."
            );
        if (Directory.Exists(target.Root) && Directory.EnumerateFileSystemEntries(target.Root).Any())
            throw new IOException($"{target.Root} is not empty; restore into a new folder. Nothing was changed.");
        Directory.CreateDirectory(target.Root);
        // A backup of an older version can be upgraded here, because this is a copy.
        var report = await RunAsync(upgrade: true, cancellationToken);
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

    /// <summary>Gets the files that the backup's own report lists as lost, and why.</summary>
    private Dictionary<string, LostFile> ReadLostFiles()
    {
        try
        {
            return (
                JsonSerializer.Deserialize<CopyReport>(File.ReadAllBytes(source.BackupMark), Reports.Json)?.Lost ?? []
            ).ToDictionary(file => file.Path, StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }

    private void ThrowIfNested()
    {
        foreach (var (inner, outer) in new[] { (source.Root, target.Root), (target.Root, source.Root) })
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
        // Leftovers of a killed copy.
        foreach (
            var leftover in Directory.EnumerateFiles(
                target.Root,
                $"{Path.GetFileName(target.Database)}{AtomicFile.TemporaryMark}*"
            )
        )
            File.Delete(leftover);
        IReadOnlyList<LostFile> lost = [];
        for (var round = 1; ; round++)
        {
            var madeAt = time.GetUtcNow().UtcDateTime;
            var lostBefore = lost;
            var snapshot = $"{target.Database}{AtomicFile.TemporaryMark}{Guid.NewGuid():n}";
            try
            {
                Snapshot(snapshot);
                lost = await CopyFilesAsync(snapshot, upgrade, cancellationToken);
                if (lost.Count == 0 || lost.SequenceEqual(lostBefore) || round == MaxRounds)
                {
                    AtomicFile.Move(snapshot, target.Database);
                    return new CopyReport(madeAt, _copied, _kept, _bytes, lost);
                }
            }
            finally
            {
                File.Delete(snapshot);
            }
        }
    }

    /// <summary>
    /// Copies the files that a copy of the database refers to. Returns the files without a valid copy.
    /// </summary>
    private async Task<IReadOnlyList<LostFile>> CopyFilesAsync(
        string snapshot,
        bool upgrade,
        CancellationToken cancellationToken
    )
    {
        await using var db = new PadimDbContext(
            new DbContextOptionsBuilder<PadimDbContext>()
                .UseSqlite(
                    new SqliteConnectionStringBuilder { DataSource = snapshot, Pooling = false }.ConnectionString
                )
                .Options
        );
        if (upgrade)
        {
            await Database.ThrowIfNewerAsync(db, source.Database, cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
        }
        else
            await Database.ThrowIfOtherAsync(db, source.Database, cancellationToken);
        var lost = new List<LostFile>();
        await foreach (var reference in FileReferences.ListAsync(db, cancellationToken))
            if (Copy(reference, cancellationToken) is { } fault)
                lost.Add(new LostFile(reference.Path, reference.Kind, reference.Category, fault));
        return lost;
    }

    /// <summary>Writes a consistent copy of the database to one file. Writers do not wait for it.</summary>
    private void Snapshot(string path)
    {
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = source.Database,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
            }.ConnectionString
        );
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "VACUUM INTO $path";
        command.Parameters.AddWithValue("$path", path);
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Copies one file if needed. Returns the fault of the source, or null if the target now has a valid file. Missing
    /// statistics are no loss.
    /// </summary>
    private LossFault? Copy(FileReference reference, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var from = Path.Combine(source.Root, reference.Path);
        var to = Path.Combine(target.Root, reference.Path);
        if (_verified.Contains(reference.Path))
            return null;
        if (IsWhole(reference, to))
            _kept++;
        else
        {
            try
            {
                AtomicFile.Write(to, stream => Copy(from, stream, reference.Sha256));
            }
            catch (SourceException e)
            {
                return e.Fault == LossFault.Missing && reference.Kind == FileKind.Statistics ? null : e.Fault;
            }
            // Statistics carry their own checksum instead of a hash in a row.
            if (reference.Sha256 is null && !reference.IsWhole(to))
            {
                File.Delete(to);
                return LossFault.Damaged;
            }
            _copied = _copied + 1;
            _bytes = _bytes + new FileInfo(to).Length;
        }
        _verified.Add(reference.Path);
        return null;
    }

    private static bool IsWhole(FileReference reference, string path)
    {
        try
        {
            return File.Exists(path) && reference.IsWhole(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Copy(string from, Stream to, string? sha256)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var stream = Reading(() => File.OpenRead(from));
        var piece = new byte[1 << 18];
        for (int read; (read = Reading(() => stream.Read(piece))) > 0; )
        {
            hash.AppendData(piece, 0, read);
            to.Write(piece, 0, read);
        }
        if (sha256 is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) != sha256)
            throw new SourceException(LossFault.Damaged);
    }

    /// <summary>
    /// Distinguishes a failing source, which loses one file, from a failing target, which ends the copy.
    /// </summary>
    private static T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
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
        var needed = _verified.Concat(lost.Select(file => file.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in new[] { target.Images, target.Models }.Where(Directory.Exists))
        foreach (
            var path in Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(path => !needed.Contains(Path.GetRelativePath(target.Root, path)))
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
/// <param name="Path">Path within the data directory.</param>
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
