using System.Security.Cryptography;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Onnx.Storage;
using PaDiM.Service.Storage;

namespace PaDiM.Service.Models;

/// <summary>
/// Model files, a folder a category, and beside each the statistics that it was made from. Names are never used twice: a worker that was taken for
/// dead cannot overwrite what another one wrote.
/// </summary>
internal sealed class ModelFiles(DataDirectory data)
{
    public const string ModelSuffix = ".safetensors", StatisticsSuffix = ".statistics.safetensors";

    public string PathOf(string category, string fileName) => Path.Combine(data.Models, category, fileName);

    /// <summary>Writes a model and gives its size and hash.</summary>
    public (long Bytes, string Sha256) Write(string category, string fileName, PadimModel model)
    {
        var path = PathOf(category, fileName);
        AtomicFile.Write(path, stream => ModelFile.Write(stream, model));
        using var written = File.OpenRead(path);
        return (written.Length, Convert.ToHexStringLower(SHA256.HashData(written)));
    }

    /// <summary>Reads a model. Its statistics are not copied: the file is mapped into memory, where other processes on this machine share it, and stays so while the model is used.</summary>
    /// <param name="stored">The row that speaks of it.</param>
    /// <exception cref="InvalidDataException">The file is missing, damaged, or not the one that was published.</exception>
    public PadimModel Read(StoredModel stored)
    {
        try
        {
            var mapped = MappedFile.Open(File.OpenRead(PathOf(stored.Category, stored.FileName)));
            // Not disposed: the model's tensors are views of it, and hold it until the last of them is gone. Its own checksum says no more than the hash just looked at.
            return mapped.Sha256() == stored.Sha256 ? ModelFile.Read(mapped, verified: true) : throw Damaged(stored);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // An empty file cannot be mapped.
            throw Missing(stored, e);
        }
    }

    /// <summary>Opens the file of a model, after a look at all of it.</summary>
    /// <param name="stored">The row that speaks of it.</param>
    /// <exception cref="InvalidDataException">The file is missing, damaged, or not the one that was published.</exception>
    public FileStream Open(StoredModel stored)
    {
        FileStream? stream = null;
        try
        {
            stream = File.OpenRead(PathOf(stored.Category, stored.FileName));
            if (Convert.ToHexStringLower(SHA256.HashData(stream)) != stored.Sha256)
                throw Damaged(stored);
            stream.Position = 0;
            return stream;
        }
        catch (InvalidDataException)
        {
            stream?.Dispose();
            throw;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw Missing(stored, e);
        }
    }

    public void WriteStatistics(string category, string fileName, PatchStatistics statistics) =>
        AtomicFile.Write(PathOf(category, StatisticsNameOf(fileName)), stream => StatisticsFile.Write(stream, statistics));

    /// <summary>The statistics behind a model, or null where they are gone or damaged: a fit then starts from the images.</summary>
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
        if (!Directory.Exists(Path.Combine(data.Models, category))) return;
        File.Delete(PathOf(category, fileName));
        DeleteStatistics(category, fileName);
    }

    public void DeleteStatistics(string category, string fileName) => File.Delete(PathOf(category, StatisticsNameOf(fileName)));

    /// <summary>Name of the statistics behind a model.</summary>
    public static string StatisticsNameOf(string fileName) => string.Concat(fileName.AsSpan(0, fileName.Length - ModelSuffix.Length), StatisticsSuffix);

    private static InvalidDataException Damaged(StoredModel stored) =>
        new($"The file of version {stored.Version} of '{stored.Category}' is damaged: its hash is not the one that was published. Fit again, or activate another version.");

    private static InvalidDataException Missing(StoredModel stored, Exception e) =>
        new($"The file of version {stored.Version} of '{stored.Category}' is missing or cannot be read. Fit again, or activate another version.", e);
}
