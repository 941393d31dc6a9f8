using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Models;

/// <summary>
/// Model files, one folder per category, each with the statistics that it was computed from. Names are never reused, so
/// a worker that was presumed dead cannot overwrite another one's file.
/// </summary>
internal sealed class ModelFiles(IObjectStore objects, DamagedModels damaged)
{
    public const string ModelSuffix = ".safetensors",
        StatisticsSuffix = ".statistics.safetensors";

    /// <summary>Gets whether files are read and written without a wait.</summary>
    public bool IsLocal => objects.IsLocal;

    /// <summary>Gets the key of a file, which is its path within the data directory.</summary>
    public static string GetKey(string category, string fileName) =>
        $"{DataDirectory.ModelsName}/{category}/{fileName}";

    /// <summary>Writes a model.</summary>
    /// <returns>The size of the file, and its hash.</returns>
    public ValueTask<(long Bytes, string Sha256)> WriteAsync(
        string category,
        string fileName,
        PadimModel model,
        CancellationToken cancellationToken
    ) =>
        objects.WriteAsync(
            GetKey(category, fileName),
            stream => Write(stream, model),
            replace: false,
            cancellationToken
        );

    /// <summary>
    /// Reads a model. Its statistics are views of the bytes that were hashed, so later changes of the file do not
    /// matter.
    /// </summary>
    /// <param name="stored">The row of the file.</param>
    /// <param name="cancellationToken">Stops the wait for the file.</param>
    /// <returns>The model, or the problem that its file is missing, damaged or not the published one.</returns>
    /// <exception cref="InvalidDataException">The file is the published one, but this version of the service cannot
    /// read it.</exception>
    public async ValueTask<Outcome<PadimModel>> ReadAsync(StoredModel stored, CancellationToken cancellationToken)
    {
        var found = await OpenVerifiedAsync(
            stored,
            file =>
            {
                using (file)
                    return HeldFile.Read(file);
            },
            held => held.Sha256,
            cancellationToken
        );
        // The file's own checksum adds nothing to the hash that was just verified.
        return found.Succeeded(out var held, out var problem) ? ModelFile.Read(held, verified: true) : problem;
    }

    /// <summary>Opens the file of a model after verifying it completely.</summary>
    /// <param name="stored">The row of the file.</param>
    /// <param name="cancellationToken">Stops the wait for the file.</param>
    /// <returns>The file, or the problem that it is missing, damaged or not the published one.</returns>
    public ValueTask<Outcome<FileStream>> OpenAsync(StoredModel stored, CancellationToken cancellationToken) =>
        OpenVerifiedAsync(
            stored,
            file => file,
            file =>
            {
                var sha256 = FileHash.Compute(file);
                file.Position = 0;
                return sha256;
            },
            cancellationToken
        );

    /// <summary>Verifies a file completely. Returns its problem, or null if it is valid.</summary>
    public async ValueTask<Problem?> CheckAsync(StoredModel stored, CancellationToken cancellationToken)
    {
        if (!(await OpenAsync(stored, cancellationToken)).Succeeded(out var file, out var problem))
            return problem;
        await file.DisposeAsync();
        return null;
    }

    /// <summary>Gets the known problem of a file; reads the file again only if it has changed.</summary>
    public Problem? FindDamage(StoredModel stored) => damaged.Find(stored, GetStamp(stored));

    /// <summary>Gets the known damaged files.</summary>
    public IReadOnlyList<Damage> ListDamage() => damaged.List();

    public ModelState GetState(StoredModel stored) => damaged.GetState(stored);

    /// <summary>Removes the damage of a deleted version; without a name, of all versions of a category.</summary>
    public void RemoveDamage(string category, string? fileName = null) => damaged.Remove(category, fileName);

    /// <summary>Gets the damaged files that may have been repaired.</summary>
    public IEnumerable<StoredModel> ListRepairable() =>
        damaged
            .List()
            .Where(damage => damaged.ShouldRecheck(damage, GetStamp(damage.Model)))
            .Select(damage => damage.Model);

    /// <summary>
    /// Rewrites a damaged file from the model in memory. Returns false if the result would differ from the published
    /// bytes.
    /// </summary>
    public async ValueTask<bool> RewriteAsync(StoredModel stored, PadimModel model, CancellationToken cancellationToken)
    {
        if (FileHash.Compute(stream => ModelFile.Write(stream, model)) != stored.Sha256)
            return false;
        await objects.WriteAsync(
            GetKey(stored.Category, stored.FileName),
            stream => Write(stream, model),
            replace: true,
            cancellationToken
        );
        damaged.Clear(stored);
        return true;
    }

    public async ValueTask WriteStatisticsAsync(
        string category,
        string fileName,
        TrainingStatistics statistics,
        CancellationToken cancellationToken
    ) =>
        await objects.WriteAsync(
            GetKey(category, GetStatisticsName(fileName)),
            stream =>
            {
                StatisticsFile.Write(stream, statistics);
                return Task.CompletedTask;
            },
            replace: false,
            cancellationToken
        );

    /// <summary>
    /// Reads the statistics of a model; null if they are missing or damaged, so that a fit starts from the images.
    /// </summary>
    public async ValueTask<TrainingStatistics?> ReadStatisticsAsync(
        string category,
        string fileName,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var file = await objects.OpenFileAsync(
                GetKey(category, GetStatisticsName(fileName)),
                null,
                cancellationToken
            );
            return StatisticsFile.Read(file);
        }
        catch (Exception e) when (e is FileNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>
    /// Deletes the files of a model that was not published or is no longer needed. What the store does not delete now,
    /// the sweeper deletes later.
    /// </summary>
    public async ValueTask DeleteAsync(string category, string fileName, CancellationToken cancellationToken)
    {
        damaged.Remove(category, fileName);
        try
        {
            await objects.DeleteAsync(GetKey(category, fileName), cancellationToken);
            await objects.DeleteAsync(GetKey(category, GetStatisticsName(fileName)), cancellationToken);
        }
        catch (ObjectStoreAwayException)
        {
            // Logged where it was noticed.
        }
    }

    /// <summary>Gets the name of a model's statistics file.</summary>
    public static string GetStatisticsName(string fileName) =>
        string.Concat(fileName.AsSpan(0, fileName.Length - ModelSuffix.Length), StatisticsSuffix);

    private FileStamp GetStamp(StoredModel stored) => objects.GetStamp(GetKey(stored.Category, stored.FileName));

    private static Task Write(Stream stream, PadimModel model)
    {
        ModelFile.Write(stream, model);
        return Task.CompletedTask;
    }

    /// <summary>Opens a file, and compares the hash of its bytes with the published one.</summary>
    private async ValueTask<Outcome<T>> OpenVerifiedAsync<T>(
        StoredModel stored,
        Func<FileStream, T> open,
        Func<T, string> getHash,
        CancellationToken cancellationToken
    )
        where T : Stream
    {
        var seen = GetStamp(stored);
        for (; ; )
        {
            T? opened = null;
            try
            {
                opened = open(
                    await objects.OpenFileAsync(
                        GetKey(stored.Category, stored.FileName),
                        stored.Sha256,
                        cancellationToken
                    )
                );
                if (getHash(opened) == stored.Sha256)
                {
                    damaged.Clear(stored);
                    return opened;
                }
                await opened.DisposeAsync();
                if (!objects.DropCopy(stored.Sha256))
                    return damaged.Record(stored, ModelState.Corrupt, seen);
            }
            catch (InvalidDataException)
            {
                return damaged.Record(stored, ModelState.Corrupt, seen);
            }
            // A full disk has no room for a copy; the object may be as it should.
            catch (Exception e)
                when (e is IOException or UnauthorizedAccessException && !ExceptionProblems.IsStorageFull(e))
            {
                if (opened is not null)
                    await opened.DisposeAsync();
                return damaged.Record(stored, ModelState.Missing, seen);
            }
        }
    }
}
