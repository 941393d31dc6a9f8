using System.Globalization;

namespace PaDiM.Service.Learning;

/// <summary>
/// Scores that an earlier attempt of a job has computed, in a file that grows: a job that was interrupted scores only what
/// is missing. A line that a crash cut short does not count.
/// </summary>
internal sealed class KnownScores : IDisposable
{
    private const int FlushEvery = 20;

    private readonly Dictionary<long, double> _scores = [];
    private readonly StreamWriter _file;
    private int _pending;

    /// <summary>Opens the scores of a job and version.</summary>
    public KnownScores(string folder, int version)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{version}.scores");
        // A worker that has lost the job may not know it yet.
        const FileShare share = FileShare.ReadWrite | FileShare.Delete;
        using (var reader = new StreamReader(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Read, share)))
            while (reader.ReadLine() is { } line)
                if (
                    line.Split(' ') is [var key, var score, "."]
                    && long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var known)
                    && double.TryParse(score, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                )
                    _scores[known] = value;
        _file = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, share));
        // What was cut short must not join the next line.
        _file.WriteLine();
    }

    /// <summary>Finds a score.</summary>
    public bool TryGet(long key, out double score) => _scores.TryGetValue(key, out score);

    /// <summary>Keeps a score.</summary>
    public void Add(long key, double score)
    {
        _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key} {score:r} ."));
        if (++_pending < FlushEvery)
            return;
        _pending = 0;
        _file.Flush();
    }

    public void Dispose() => _file.Dispose();
}
