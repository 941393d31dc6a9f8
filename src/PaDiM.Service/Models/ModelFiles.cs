using System.Security.Cryptography;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Models;

/// <summary>
/// Model files, a folder a category, and beside each the statistics that it was made from. Names are never used twice:
/// a worker that was taken for dead cannot overwrite what another one wrote.
/// </summary>
internal sealed class ModelFiles(DataDirectory data, DamagedModels damaged)
{
    public const string ModelSuffix = ".safetensors",
        StatisticsSuffix = ".statistics.safetensors";

    public string PathOf(string category, string fileName) => Path.Combine(data.Root, NameOf(category, fileName));

    /// <summary>Path of a file within the data directory.</summary>
    public static string NameOf(string category, string fileName) =>
        Path.Combine(DataDirectory.ModelsName, category, fileName);

    /// <summary>Writes a model.</summary>
    /// <returns>The size of the file, and its hash.</returns>
    public (long Bytes, string Sha256) Write(string category, string fileName, PadimModel model) =>
        AtomicFile.WriteHashed(PathOf(category, fileName), stream => ModelFile.Write(stream, model));

    /// <summary>
    /// Reads a model. Its statistics are views of the bytes that were hashed: whatever becomes of the file afterwards,
    /// these score.
    /// </summary>
    /// <param name="stored">The row that speaks of it.</param>
    /// <returns>The model, or the problem that its file is missing, damaged, or another one than was
    /// published.</returns>
    /// <exception cref="InvalidDataException">The file is the one that was published, but no model that this version of
    /// the program reads.</exception>
    public Outcome<PadimModel> Read(StoredModel stored)
    {
        var (path, seen) = Look(stored);
        try
        {
            var held = HeldFile.Read(path);
            if (held.Sha256 != stored.Sha256)
                return damaged.Mark(stored, ModelState.Corrupt, seen);
            damaged.Clear(stored);
            // Its own checksum says no more than the hash just looked at.
            return ModelFile.Read(held, verified: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return damaged.Mark(stored, ModelState.Missing, seen);
        }
    }

    /// <summary>Opens the file of a model, after a look at all of it.</summary>
    /// <param name="stored">The row that speaks of it.</param>
    /// <returns>The file, or the problem that it is missing, damaged, or another one than was published.</returns>
    public Outcome<FileStream> Open(StoredModel stored)
    {
        var (path, seen) = Look(stored);
        FileStream? stream = null;
        try
        {
            stream = File.OpenRead(path);
            if (Convert.ToHexStringLower(SHA256.HashData(stream)) == stored.Sha256)
            {
                damaged.Clear(stored);
                stream.Position = 0;
                return stream;
            }
            stream.Dispose();
            return damaged.Mark(stored, ModelState.Corrupt, seen);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            return damaged.Mark(stored, ModelState.Missing, seen);
        }
    }

    /// <summary>The problem with a file, after a look at all of it; null where it is what was published.</summary>
    public Problem? Check(StoredModel stored)
    {
        if (!Open(stored).Succeeded(out var file, out var problem))
            return problem;
        file.Dispose();
        return null;
    }

    /// <summary>
    /// The problem with a file as far as it is known, without reading it again unless it has changed.
    /// </summary>
    public Problem? FindDamage(StoredModel stored) => damaged.Find(stored, Look(stored).Seen);

    /// <summary>Damaged files as far as they are known.</summary>
    public IReadOnlyList<Damage> ListDamage() => damaged.List();

    public ModelState StateOf(StoredModel stored) => damaged.StateOf(stored);

    /// <summary>
    /// Forgets the damage of a version that is gone, or, without a name, of all versions of a category.
    /// </summary>
    public void Forget(string category, string? fileName = null) => damaged.Forget(category, fileName);

    /// <summary>Damaged files that may be whole again.</summary>
    public IEnumerable<StoredModel> MaybeMended() =>
        damaged
            .List()
            .Where(damage => damaged.MayBeMended(damage, Look(damage.Model).Seen))
            .Select(damage => damage.Model);

    /// <summary>
    /// Writes a damaged file anew from the model in memory; false where that would not give the bytes that were
    /// published.
    /// </summary>
    public bool Rewrite(StoredModel stored, PadimModel model)
    {
        if (FileHash.Compute(stream => ModelFile.Write(stream, model)) != stored.Sha256)
            return false;
        AtomicFile.Write(PathOf(stored.Category, stored.FileName), stream => ModelFile.Write(stream, model));
        damaged.Clear(stored);
        return true;
    }

    public void WriteStatistics(string category, string fileName, PatchStatistics statistics) =>
        AtomicFile.Write(
            PathOf(category, StatisticsNameOf(fileName)),
            stream => StatisticsFile.Write(stream, statistics)
        );

    /// <summary>
    /// The statistics behind a model, or null where they are gone or damaged: a fit then starts from the images.
    /// </summary>
    public PatchStatistics? ReadStatistics(string category, string fileName)
    {
        try
        {
            using var stream = File.OpenRead(PathOf(category, StatisticsNameOf(fileName)));
            return StatisticsFile.Read(stream);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Removes the files of a model that was not published, or is not wanted any more.</summary>
    public void Delete(string category, string fileName)
    {
        damaged.Forget(category, fileName);
        if (!Directory.Exists(Path.Combine(data.Models, category)))
            return;
        File.Delete(PathOf(category, fileName));
        DeleteStatistics(category, fileName);
    }

    public void DeleteStatistics(string category, string fileName) =>
        File.Delete(PathOf(category, StatisticsNameOf(fileName)));

    /// <summary>Name of the statistics behind a model.</summary>
    public static string StatisticsNameOf(string fileName) =>
        string.Concat(fileName.AsSpan(0, fileName.Length - ModelSuffix.Length), StatisticsSuffix);

    private (string Path, FileStamp Seen) Look(StoredModel stored)
    {
        var path = PathOf(stored.Category, stored.FileName);
        return (path, FileStamp.Of(path));
    }
}
