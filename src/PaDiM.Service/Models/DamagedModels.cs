using System.Collections.Concurrent;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Models;

/// <summary>
/// Versions whose file was not what was published when this process last read it. Kept in memory alone: a process that
/// starts anew, and a replica, see for themselves before they score. Thread-safe.
/// </summary>
internal sealed partial class DamagedModels(TimeProvider time, ILogger<DamagedModels> logger)
{
    /// <summary>
    /// A file that looks untouched is read again now and then all the same: a copy may bring back the old time and
    /// length.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Category, string FileName), Damage> _found = new();

    /// <summary>What is known, the longest known first.</summary>
    public IReadOnlyList<Damage> List() => [.. _found.Values.OrderBy(damage => damage.Since)];

    public ModelState StateOf(StoredModel model) =>
        _found.TryGetValue(ModelCache.KeyOf(model), out var damage) ? damage.State : ModelState.Ready;

    /// <summary>
    /// The problem with a version; null where there is none, or where its file may have been mended since it was read.
    /// </summary>
    public Problem? Find(StoredModel model, FileStamp now) =>
        _found.TryGetValue(ModelCache.KeyOf(model), out var damage) && !MayBeMended(damage, now)
            ? ProblemOf(model, damage.State)
            : null;

    /// <summary>Whether a damaged file is worth another look.</summary>
    public bool MayBeMended(Damage damage, FileStamp now) =>
        damage.Seen != now || time.GetElapsedTime(damage.LookedAt) >= Patience;

    /// <summary>Takes note of a file that was just read, and gives the problem that it is.</summary>
    /// <param name="model">Whose file it is.</param>
    /// <param name="state">What is wrong with it.</param>
    /// <param name="seen">What it looked like before it was read.</param>
    public Problem Mark(StoredModel model, ModelState state, FileStamp seen)
    {
        var problem = ProblemOf(model, state);
        var damage = new Damage(model, state, time.GetUtcNow().UtcDateTime, seen, time.GetTimestamp());
        var kept = _found.AddOrUpdate(
            ModelCache.KeyOf(model),
            damage,
            (_, earlier) => earlier.State == state ? damage with { Since = earlier.Since } : damage
        );
        if (kept == damage)
            LogDamaged(problem.Code, problem.Detail);
        return problem;
    }

    /// <summary>A file was read and is what was published.</summary>
    public void Clear(StoredModel model)
    {
        if (_found.TryRemove(ModelCache.KeyOf(model), out _))
            LogMended(model.Version, model.Category);
    }

    /// <summary>Forgets a version that is gone, or, without a name, all versions of a category.</summary>
    public void Forget(string category, string? fileName = null)
    {
        foreach (
            var key in _found.Keys.Where(key =>
                key.Category == category && (fileName is null || key.FileName == fileName)
            )
        )
            _found.TryRemove(key, out _);
    }

    private static Problem ProblemOf(StoredModel model, ModelState state) =>
        Problems.ModelCorrupt(
            state == ModelState.Corrupt
                ? $"The file of version {model.Version} of '{model.Category}' is damaged: its hash is not the one that was published. Restore the file {model.FileName} from a backup, activate another version, or fit again."
                : $"The file of version {model.Version} of '{model.Category}' is missing or cannot be read. Restore the file {model.FileName} from a backup, activate another version, or fit again."
        );

    [LoggerMessage(Level = LogLevel.Error, Message = "{Code}: {Detail}")]
    private partial void LogDamaged(string code, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The file of version {Version} of {Category} is whole again")]
    private partial void LogMended(int version, string category);
}

/// <summary>A file that is not what was published.</summary>
/// <param name="Model">Whose it is.</param>
/// <param name="State">What is wrong with it.</param>
/// <param name="Since">When that was first seen.</param>
/// <param name="Seen">What the file looked like then.</param>
/// <param name="LookedAt">Timestamp of the last look.</param>
internal sealed record Damage(StoredModel Model, ModelState State, DateTime Since, FileStamp Seen, long LookedAt);

/// <summary>
/// What tells without reading it that a file was written or replaced; the default for one that is not there.
/// </summary>
internal readonly record struct FileStamp(long Length, DateTime WrittenAt, DateTime CreatedAt)
{
    public static FileStamp Of(string path) =>
        new FileInfo(path) is { Exists: true } file
            ? new FileStamp(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc)
            : default;
}
