using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using PaDiM.Client;

namespace PaDiM.Cli.Watch;

/// <summary>
/// Scores files with a service, one after the other. While the service or a sink is away it tries again, so that no file is
/// lost; the identifier of an inspection follows from the file, so that none is kept twice.
/// </summary>
internal sealed class FolderScorer(
    PadimClient client,
    string category,
    IReadOnlyList<WatchSink> sinks,
    Regex? names,
    string? station,
    string? lot,
    TimeProvider time
)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1),
        LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Scores a file, and hands the result to all sinks.</summary>
    /// <exception cref="PadimException">The service refuses every file: the key, the category or the model is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read now.</exception>
    public async Task ScoreAsync(FileInfo file, CancellationToken cancellationToken)
    {
        var bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken);
        var name = names?.Match(Path.GetFileNameWithoutExtension(file.Name));
        var options = new ScoreOptions
        {
            PartId = Get("part") ?? Path.GetFileNameWithoutExtension(file.Name),
            StationId = Get("station") ?? station,
            LotId = Get("lot") ?? lot,
            InspectionId = GetIdentifier(file.Name, bytes),
        };
        var line = await RetryAsync(() => AskAsync(file, bytes, options, cancellationToken), cancellationToken);
        foreach (var sink in sinks)
            await RetryAsync(
                async () =>
                {
                    await sink.WriteAsync(line, file, cancellationToken);
                    return true;
                },
                cancellationToken
            );

        string? Get(string group) => name?.Groups[group] is { Success: true } found ? found.Value : null;
    }

    private async Task<WatchLine> AskAsync(
        FileInfo file,
        byte[] bytes,
        ScoreOptions options,
        CancellationToken cancellationToken
    )
    {
        var line = new WatchLine(
            file.Name,
            time.GetUtcNow().UtcDateTime,
            options.InspectionId!,
            options.PartId,
            options.StationId,
            options.LotId
        );
        try
        {
            var image = ImageSource.FromBytes(bytes, file.Name);
            var score = await client.ScoreAsync(category, image, options, cancellationToken);
            return line with
            {
                Category = score.Category,
                ModelVersion = score.ModelVersion,
                Decision = score.Decision.ToString().ToLowerInvariant(),
                Score = score.Score,
                Threshold = score.Threshold,
                PValue = score.PValue,
                Warnings =
                    score.Warnings.Count == 0 ? null : string.Join(' ', score.Warnings.Select(warning => warning.Code)),
            };
        }
        // The image is at fault, and would be the next time.
        catch (PadimException e) when (e.Status is 400 or 413 or 415 or 422)
        {
            return line with { Code = e.Code, Error = e.Detail };
        }
    }

    private async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        var hasSaid = false;
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await attempt();
            }
            catch (Exception e) when (MayPass(e))
            {
                if (!hasSaid)
                    await Console.Error.WriteLineAsync($"padim: {e.Message} Trying again.");
                hasSaid = true;
                var wait = (e as PadimException)?.RetryAfter is { } asked && asked > pause ? asked : pause;
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    private static bool MayPass(Exception e) =>
        e is IOException or UnauthorizedAccessException
        || e is PadimException problem && (problem.IsTransient || problem.Status >= 500);

    /// <summary>The same photograph under the same name is the same inspection, also after a restart.</summary>
    private string GetIdentifier(string name, byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{category}\0{name}\0"));
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..40];
    }
}
