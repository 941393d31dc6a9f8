using System.Collections.Concurrent;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Models;

/// <summary>
/// Versions whose file was damaged or missing when this process last read it. Kept in memory only: a restarted process
/// and other replicas find out themselves before they score. Thread-safe.
/// </summary>
internal sealed partial class DamagedModels(TimeProvider time, ILogger<DamagedModels> logger)
{
    /// <summary>
    /// A file that looks unchanged is still read again after this time, because a restored copy may have the old time
    /// and length.
    /// </summary>
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(string Category, string FileName), Damage> _found = new();

    /// <summary>Gets the known damage, oldest first.</summary>
    public IReadOnlyList<Damage> List() => [.. _found.Values.OrderBy(damage => damage.Since)];

    public ModelState GetState(StoredModel model) =>
        _found.TryGetValue(ModelCache.GetKey(model), out var damage) ? damage.State : ModelState.Ready;

    /// <summary>
    /// Gets the problem of a version; null if there is none, or if the file may have been repaired since it was read.
    /// </summary>
    public Problem? Find(StoredModel model, FileStamp now) =>
        _found.TryGetValue(ModelCache.GetKey(model), out var damage) && !ShouldRecheck(damage, now)
            ? CreateProblem(model, damage.State)
            : null;

    /// <summary>Gets whether a damaged file should be checked again.</summary>
    public bool ShouldRecheck(Damage damage, FileStamp now) =>
        damage.Seen != now || time.GetElapsedTime(damage.LookedAt) >= RecheckInterval;

    /// <summary>Records a damaged file and returns its problem.</summary>
    /// <param name="model">The row of the file.</param>
    /// <param name="state">What is wrong with the file.</param>
    /// <param name="seen">The stamp of the file before it was read.</param>
    public Problem Record(StoredModel model, ModelState state, FileStamp seen)
    {
        var problem = CreateProblem(model, state);
        var damage = new Damage(model, state, time.GetUtcNow().UtcDateTime, seen, time.GetTimestamp());
        var kept = _found.AddOrUpdate(
            ModelCache.GetKey(model),
            damage,
            (_, earlier) => earlier.State == state ? damage with { Since = earlier.Since } : damage
        );
        if (kept == damage)
            LogDamaged(problem.Code, problem.Detail);
        return problem;
    }

    /// <summary>Records that a file was read and is valid.</summary>
    public void Clear(StoredModel model)
    {
        if (_found.TryRemove(ModelCache.GetKey(model), out _))
            LogMended(model.Version, model.Category);
    }

    /// <summary>Removes a deleted version; without a name, all versions of a category.</summary>
    public void Remove(string category, string? fileName = null)
    {
        foreach (
            var key in _found.Keys.Where(key =>
                key.Category == category && (fileName is null || key.FileName == fileName)
            )
        )
            _found.TryRemove(key, out _);
    }

    private static Problem CreateProblem(StoredModel model, ModelState state) =>
        Problems.ModelCorrupt(
            state == ModelState.Corrupt
                ? $"The file of version {model.Version} of '{model.Category}' is damaged: its hash differs from "
                    + $"the published one. Restore the file {model.FileName} from a backup, activate another "
                    + "version, or fit again."
                : $"The file of version {model.Version} of '{model.Category}' is missing or unreadable. Restore "
                    + $"the file {model.FileName} from a backup, activate another version, or fit again."
        );

    [LoggerMessage(Level = LogLevel.Error, Message = "{Code}: {Detail}")]
    private partial void LogDamaged(string code, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The file of version {Version} of {Category} is valid again")]
    private partial void LogMended(int version, string category);
}

/// <summary>A damaged or missing file.</summary>
/// <param name="Model">The row of the file.</param>
/// <param name="State">What is wrong with the file.</param>
/// <param name="Since">Time at which the damage was first noticed.</param>
/// <param name="Seen">The stamp of the file at that time.</param>
/// <param name="LookedAt">Timestamp of the last check.</param>
internal sealed record Damage(StoredModel Model, ModelState State, DateTime Since, FileStamp Seen, long LookedAt);
