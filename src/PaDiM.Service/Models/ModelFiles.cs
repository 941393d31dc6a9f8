using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Models;

/// <summary>
/// Model files, one folder per category, each with the statistics that it was computed from. Names are never reused, so
/// a worker that was presumed dead cannot overwrite another one's file.
/// </summary>
internal sealed class ModelFiles(DataDirectory data, DamagedModels damaged)
{
    public const string ModelSuffix = ".safetensors",
        StatisticsSuffix = ".statistics.safetensors";

    public string GetPath(string category, string fileName) => Path.Combine(data.Root, GetName(category, fileName));

    /// <summary>Gets the path of a file within the data directory.</summary>
    public static string GetName(string category, string fileName) =>
        Path.Combine(DataDirectory.ModelsName, category, fileName);

    /// <summary>Writes a model.</summary>
    /// <returns>The size of the file, and its hash.</returns>
    public (long Bytes, string Sha256) Write(string category, string fileName, PadimModel model) =>
        AtomicFile.WriteHashed(GetPath(category, fileName), stream => ModelFile.Write(stream, model));

    /// <summary>
    /// Reads a model. Its statistics are views of the bytes that were hashed, so later changes of the file do not
    /// matter.
    /// </summary>
    /// <param name="stored">The row of the file.</param>
    /// <returns>The model, or the problem that its file is missing, damaged or not the published one.</returns>
    /// <exception cref="InvalidDataException">The file is the published one, but this version of the service cannot
    /// read it.</exception>
    public Outcome<PadimModel> Read(StoredModel stored)
    {
        var (path, seen) = GetStamp(stored);
        try
        {
            var held = HeldFile.Read(path);
            if (held.Sha256 != stored.Sha256)
                return damaged.Record(stored, ModelState.Corrupt, seen);
            damaged.Clear(stored);
            // The file's own checksum adds nothing to the hash that was just verified.
            return ModelFile.Read(held, verified: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return damaged.Record(stored, ModelState.Missing, seen);
        }
    }

    /// <summary>Opens the file of a model after verifying it completely.</summary>
    /// <param name="stored">The row of the file.</param>
    /// <returns>The file, or the problem that it is missing, damaged or not the published one.</returns>
    public Outcome<FileStream> Open(StoredModel stored)
    {
        var (path, seen) = GetStamp(stored);
        FileStream? stream = null;
        try
        {
            stream = File.OpenRead(path);
            if (FileHash.Compute(stream) == stored.Sha256)
            {
                damaged.Clear(stored);
                stream.Position = 0;
                return stream;
            }
            stream.Dispose();
            return damaged.Record(stored, ModelState.Corrupt, seen);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            return damaged.Record(stored, ModelState.Missing, seen);
        }
    }

    /// <summary>Verifies a file completely. Returns its problem, or null if it is valid.</summary>
    public Problem? Check(StoredModel stored)
    {
        if (!Open(stored).Succeeded(out var file, out var problem))
            return problem;
        file.Dispose();
        return null;
    }

    /// <summary>Gets the known problem of a file; reads the file again only if it has changed.</summary>
    public Problem? FindDamage(StoredModel stored) => damaged.Find(stored, GetStamp(stored).Seen);

    /// <summary>Gets the known damaged files.</summary>
    public IReadOnlyList<Damage> ListDamage() => damaged.List();

    public ModelState GetState(StoredModel stored) => damaged.GetState(stored);

    /// <summary>Removes the damage of a deleted version; without a name, of all versions of a category.</summary>
    public void RemoveDamage(string category, string? fileName = null) => damaged.Remove(category, fileName);

    /// <summary>Gets the damaged files that may have been repaired.</summary>
    public IEnumerable<StoredModel> ListRepairable() =>
        damaged
            .List()
            .Where(damage => damaged.ShouldRecheck(damage, GetStamp(damage.Model).Seen))
            .Select(damage => damage.Model);

    /// <summary>
    /// Rewrites a damaged file from the model in memory. Returns false if the result would differ from the published
    /// bytes.
    /// </summary>
    public bool Rewrite(StoredModel stored, PadimModel model)
    {
        if (FileHash.Compute(stream => ModelFile.Write(stream, model)) != stored.Sha256)
            return false;
        AtomicFile.Write(GetPath(stored.Category, stored.FileName), stream => ModelFile.Write(stream, model));
        damaged.Clear(stored);
        return true;
    }

    public void WriteStatistics(string category, string fileName, TrainingStatistics statistics) =>
        AtomicFile.Write(
            GetPath(category, GetStatisticsName(fileName)),
            stream => StatisticsFile.Write(stream, statistics)
        );

    /// <summary>
    /// Reads the statistics of a model; null if they are missing or damaged, so that a fit starts from the images.
    /// </summary>
    public TrainingStatistics? ReadStatistics(string category, string fileName)
    {
        try
        {
            using var stream = File.OpenRead(GetPath(category, GetStatisticsName(fileName)));
            return StatisticsFile.Read(stream);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Deletes the files of a model that was not published or is no longer needed.</summary>
    public void Delete(string category, string fileName)
    {
        damaged.Remove(category, fileName);
        if (!Directory.Exists(Path.Combine(data.Models, category)))
            return;
        File.Delete(GetPath(category, fileName));
        DeleteStatistics(category, fileName);
    }

    public void DeleteStatistics(string category, string fileName) =>
        File.Delete(GetPath(category, GetStatisticsName(fileName)));

    /// <summary>Gets the name of a model's statistics file.</summary>
    public static string GetStatisticsName(string fileName) =>
        string.Concat(fileName.AsSpan(0, fileName.Length - ModelSuffix.Length), StatisticsSuffix);

    private (string Path, FileStamp Seen) GetStamp(StoredModel stored)
    {
        var path = GetPath(stored.Category, stored.FileName);
        return (path, FileStamp.FromFile(path));
    }
}
