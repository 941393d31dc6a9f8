using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Copies a data directory, also while a service works in it: a consistent copy of the database first, then the files
/// that this copy speaks of. Files never change under their names, so whatever is written meanwhile does no harm; each
/// is compared with its hash on the way. The database takes its place last: a copy that was cut short is no backup, or
/// still the one before.
/// </summary>
internal sealed class DataCopy(DataDirectory source, DataDirectory target, TimeProvider time)
{
    /// <summary>
    /// A file that is deleted between the database's copy and its own turn is found out by a newer copy of the
    /// database.
    /// </summary>
    private const int MaxRounds = 5;

    private readonly HashSet<string> _verified = new(StringComparer.Ordinal);
    private int _copied,
        _kept;
    private long _bytes;

    /// <summary>
    /// Makes or refreshes a backup: what the target holds already, and is whole, is not copied again.
    /// </summary>
    /// <exception cref="IOException">A folder is not what it must be, or the disk is full.</exception>
    public async Task<CopyReport> BackUpAsync(CancellationToken cancellationToken)
    {
        RefuseNested();
        if (!File.Exists(source.Database))
            throw new IOException(
                $"{source.Root} is no data directory: it holds no {Path.GetFileName(source.Database)}."
            );
        if (File.Exists(target.Database) && !File.Exists(target.BackupMark))
            throw new IOException($"{target.Root} is a data directory and no backup: nothing was changed.");
        Directory.CreateDirectory(target.Root);
        // That of the backup before stays in force until this one is whole.
        if (!File.Exists(target.BackupMark))
            File.WriteAllText(target.BackupMark, "{}");
        var report = await RunAsync(upgrade: false, cancellationToken);
        Prune(report.Lost);
        AtomicFile.Write(target.BackupMark, stream => JsonSerializer.Serialize(stream, report, Reports.Json));
        return report;
    }

    /// <summary>Makes a data directory of a backup.</summary>
    /// <exception cref="IOException">The target is there and not empty, the source holds no database, or the disk is
    /// full.</exception>
    public async Task<CopyReport> RestoreAsync(CancellationToken cancellationToken)
    {
        RefuseNested();
        if (!File.Exists(source.Database))
            throw new IOException(
                $"{source.Root} holds no {Path.GetFileName(source.Database)}: it is no backup, or one that was cut short."
            );
        if (Directory.Exists(target.Root) && Directory.EnumerateFileSystemEntries(target.Root).Any())
            throw new IOException($"{target.Root} is not empty: restore into a new folder. Nothing was changed.");
        Directory.CreateDirectory(target.Root);
        // A backup of an older version is brought up to date here, where it can be: in the copy.
        var report = await RunAsync(upgrade: true, cancellationToken);
        var noted = LostBefore();
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

    /// <summary>What the backup's own report says it is without, and why.</summary>
    private Dictionary<string, LostFile> LostBefore()
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

    private void RefuseNested()
    {
        foreach (var (inner, outer) in new[] { (source.Root, target.Root), (target.Root, source.Root) })
            if (
                (inner + Path.DirectorySeparatorChar).StartsWith(
                    outer + Path.DirectorySeparatorChar,
                    StringComparison.Ordinal
                )
            )
                throw new IOException($"{inner} lies within {outer}: copy to a folder of its own.");
    }

    private async Task<CopyReport> RunAsync(bool upgrade, CancellationToken cancellationToken)
    {
        // Of one that was killed.
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
    /// Copies what a copy of the database speaks of, and gives the files of which there is no whole one.
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
            await Database.RefuseNewerAsync(db, source.Database, cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
        }
        else
            await Database.RefuseOtherAsync(db, source.Database, cancellationToken);
        var lost = new List<LostFile>();
        await foreach (var reference in FileReferences.ListAsync(db, cancellationToken))
            if (Copy(reference, cancellationToken) is { } fault)
                lost.Add(new LostFile(reference.Path, reference.Kind, reference.Category, fault));
        return lost;
    }

    /// <summary>A consistent copy of the database as one file, as of one moment; writers do not wait for it.</summary>
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
    /// Sees to one file, and gives what is wrong with the source's; null where a whole one is there now. Statistics
    /// that are gone are no loss.
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
            // What no row has the hash of holds its own.
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
    /// Tells what goes wrong with the source from what goes wrong with the target: one file less, or the end of the
    /// copy.
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
    /// Removes what the new copy of the database does not speak of. After the database has taken its place: until then
    /// the old one may be needed. What is lost at the source stays: a copy from before that cannot be read today may be
    /// all that is left.
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

/// <summary>What a backup or a restore came to.</summary>
/// <param name="MadeAt">The moment that the database's copy shows.</param>
/// <param name="Copied">Files copied.</param>
/// <param name="Kept">Files that were there already, and whole.</param>
/// <param name="Bytes">Bytes copied.</param>
/// <param name="Lost">Files that the source has not, or only damaged, or that cannot be read there: the copy is without
/// them. Of a restore, with the fault that the backup found.</param>
internal sealed record CopyReport(DateTime MadeAt, int Copied, int Kept, long Bytes, IReadOnlyList<LostFile> Lost);

/// <summary>A file that a copy is without.</summary>
/// <param name="Path">Within the data directory.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Category">For which category; of an image that several have, one of them.</param>
/// <param name="Fault">What is wrong with it where it was to be copied from.</param>
internal sealed record LostFile(string Path, FileKind Kind, string Category, LossFault Fault);

/// <summary>Why a file is lost.</summary>
internal enum LossFault
{
    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>Its bytes are not what they were.</summary>
    Damaged,

    /// <summary>The system does not let it be read: a bad sector, a lost disk, rights.</summary>
    Unreadable,
}
