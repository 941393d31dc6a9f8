using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Objects;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Models;

/// <summary>
/// Provides models that are ready to score. The current snapshot of a category is a single reference that is replaced
/// as a whole, so scoring takes no lock and never sees half a change. Local changes apply at once, changes by other
/// replicas within a second. Pinned models are loaded in advance. If the file of the active version is damaged, the
/// newest valid earlier version stands in for it until the file is repaired or another version is activated.
/// </summary>
internal sealed partial class ModelRegistry(
    IDbContextFactory<PadimDbContext> contexts,
    ModelFiles files,
    ModelCache cache,
    SuccessNotices notices,
    LinePatience patience,
    BackboneRegistry backbones,
    RegionIndex regions,
    ChangeFeed changes,
    ModelMetrics metrics,
    DeviceWatch device,
    IOptions<RoleOptions> role,
    TimeProvider time,
    ILogger<ModelRegistry> logger
) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1),
        PollLimit = TimeSpan.FromSeconds(2);
    private readonly Signal _changed = new();
    private readonly ConcurrentDictionary<string, CategoryModel> _current = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Category, string FileName), Problem> _failed = new();
    private readonly ConcurrentDictionary<string, string> _notReady = new(StringComparer.Ordinal);

    /// <summary>Revisions of all categories at the last look.</summary>
    private Dictionary<string, (long Revision, bool Wanted)> _known = [];

    /// <summary>One load per category at a time, and none waits for that of another: a store may be slow.</summary>
    private readonly KeyedGates _gates = new();

    /// <summary>Changes that are being followed, by category.</summary>
    private readonly ConcurrentDictionary<string, Task> _refreshing = new(StringComparer.Ordinal);

    /// <summary>The pinned model that is being loaded in advance, one at a time.</summary>
    private Task _pinning = Task.CompletedTask;

    /// <summary>The look at damaged files, which may be read from a store.</summary>
    private Task _repairing = Task.CompletedTask;

    /// <summary>Gets the snapshot of the active version or of the given one.</summary>
    public async ValueTask<Outcome<CategoryModel>> AcquireAsync(
        string category,
        int? version,
        CancellationToken cancellationToken
    )
    {
        if (version is null)
            return FindCurrent(category) is { } ready
                ? ready
                : ToModel(await LoadActiveAsync(category, cancellationToken));
        return ToModel(await LoadAsync(category, version, cancellationToken));

        static Outcome<CategoryModel> ToModel(Outcome<(CategoryModel Model, bool Loaded)> loaded) =>
            loaded.Succeeded(out var found, out var problem) ? found.Model : problem;
    }

    /// <summary>
    /// Gets the snapshot of a version that scores beside the active one, or the problem that there is no memory for it: it
    /// must not evict a model that the line uses.
    /// </summary>
    public async Task<Outcome<CategoryModel>> AcquireAsideAsync(
        string category,
        int version,
        CancellationToken cancellationToken
    )
    {
        if (await FindModelAsync(category, version, cancellationToken) is not { } stored)
            return Problems.ModelNotFound(category, version);
        return cache.HasRoomFor(stored)
            ? await AcquireAsync(category, version, cancellationToken)
            : Problems.ShadowTooLarge(stored.StatisticsBytes);
    }

    /// <summary>Gets the snapshot of the active version, and whether it had to be loaded.</summary>
    public async Task<Outcome<(CategoryModel Model, bool Loaded)>> PrefetchAsync(
        string category,
        CancellationToken cancellationToken
    ) => FindCurrent(category) is { } ready ? (ready, false) : await LoadActiveAsync(category, cancellationToken);

    /// <summary>Makes a change of a category visible to later requests.</summary>
    public async Task RefreshAsync(string category, CancellationToken cancellationToken)
    {
        await regions.ReloadAsync();
        if (!role.Value.Scores)
        {
            // Jobs take the model when they need it; until then, its memory is theirs.
            _current.TryRemove(category, out _);
            return;
        }
        if ((await LoadAsync(category, null, cancellationToken)).Succeeded(out _, out var problem))
        {
            _notReady.TryRemove(category, out _);
            return;
        }
        // The poll runs every second, but a category that stays unusable is logged once.
        if (_notReady.TryGetValue(category, out var told) && told == problem.Detail)
            return;
        _notReady[category] = problem.Detail;
        LogNotReady(category, problem.Code, problem.Detail);
    }

    /// <summary>Gets the versions with damaged files, and what scores instead.</summary>
    public IReadOnlyList<DamagedModelResponse> GetDamage() =>
        [
            .. files
                .ListDamage()
                .Select(damage => new DamagedModelResponse(
                    damage.Model.Category,
                    damage.Model.Version,
                    damage.State,
                    damage.Since,
                    _current.TryGetValue(damage.Model.Category, out var serving)
                    && (serving.Version == damage.Model.Version || serving.StandsInFor?.Version == damage.Model.Version)
                        ? serving.Version
                        : null
                )),
        ];

    /// <summary>
    /// Sets memory aside for a fit until the result is disposed. Loaded models that do not fit beside it are evicted.
    /// </summary>
    /// <param name="bytes">The memory that the process needs with the fit.</param>
    public IDisposable BeginFit(long bytes)
    {
        Forget(cache.BeginFit(bytes));
        return new FitMemory(cache, bytes);
    }

    /// <summary>Removes a deleted category.</summary>
    public async Task RemoveAsync(string category)
    {
        await regions.ReloadAsync();
        await LoadAsync(category, null, CancellationToken.None);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        changes.Subscribe(SharedTable.Categories, _changed.Set);
        // The handled revision per pinned category, so that one that cannot be loaded is not read again every second.
        var seen = new Dictionary<string, long>(StringComparer.Ordinal);
        return Periodically.RunAsync(
            Poll,
            time,
            async cancellationToken =>
            {
                // Pinned models are loaded one at a time, checking for changes by other replicas in between.
                while (await FollowAsync(seen, cancellationToken)) { }
                // The object store may be back in a second.
                foreach (var (category, detail) in _notReady)
                    if (detail == Problems.StorageUnavailable().Detail)
                        seen.Remove(category);
            },
            LogPollFailure,
            stoppingToken,
            _changed
        );
    }

    /// <summary>
    /// Handles changes and loads one pinned category. Returns whether there was one to load. What takes longer than a poll,
    /// because a store is slow, goes on beside the next ones: it must not keep the changes of other categories.
    /// </summary>
    private async Task<bool> FollowAsync(Dictionary<string, long> seen, CancellationToken cancellationToken)
    {
        var followed = notices.GetAll();
        // A connection to a server that vanished answers after seconds; the next poll has another one.
        var categories = await ReadCategoriesAsync(cancellationToken).WaitAsync(PollLimit, time, cancellationToken);
        // Another replica may have published the first model of a region.
        if (categories.Count != _known.Count || categories.Any(c => _known.GetValueOrDefault(c.Key) != c.Value))
            await regions.ReloadAsync();
        _known = categories;
        await WaitAPollAsync(
            Task.WhenAll(
                _current
                    .Values.Where(m =>
                        !categories.TryGetValue(m.Category, out var category) || category.Revision != m.Revision
                    )
                    .Select(model => StartRefresh(model.Category, cancellationToken))
                    .ToArray()
            ),
            cancellationToken
        );
        foreach (var (category, notice) in followed)
            if (!_refreshing.ContainsKey(category))
                notices.Remove(category, notice);
        if (_repairing.IsCompleted)
            _repairing = RepairAsync(cancellationToken);
        await WaitAPollAsync(_repairing, cancellationToken);
        if (
            !_pinning.IsCompleted
            || categories.FirstOrDefault(c => c.Value.Wanted && seen.GetValueOrDefault(c.Key) != c.Value.Revision)
                is not { Key: { } pinned } found
        )
            return false;
        seen[pinned] = found.Value.Revision;
        _pinning = StartRefresh(pinned, cancellationToken);
        await WaitAPollAsync(_pinning, cancellationToken);
        return _pinning.IsCompleted;
    }

    /// <summary>Refreshes a category, once at a time for each.</summary>
    private Task StartRefresh(string category, CancellationToken cancellationToken)
    {
        // Added before it runs, so that it can remove itself.
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = _refreshing.GetOrAdd(category, done.Task);
        if (running == done.Task)
            _ = RunAsync();
        return running;

        async Task RunAsync()
        {
            try
            {
                await RefreshAsync(category, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogPollFailure(e);
            }
            catch (OperationCanceledException)
            {
                // The process is stopping.
            }
            finally
            {
                _refreshing.TryRemove(category, out _);
                done.SetResult();
            }
        }
    }

    /// <summary>Waits for work, but not longer than for the next poll.</summary>
    private async Task WaitAPollAsync(Task work, CancellationToken cancellationToken)
    {
        if (!work.IsCompleted)
            await Task.WhenAny(work, Task.Delay(Poll, time, cancellationToken));
        if (work.IsCompleted)
            await work;
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Looks at damaged files: they may have been restored.</summary>
    private async Task RepairAsync(CancellationToken cancellationToken)
    {
        foreach (var model in files.ListRepairable())
        {
            // A model that was read just when it was deleted has a missing file that is no damage.
            if (!await IsStoredAsync(model, cancellationToken))
                files.RemoveDamage(model.Category, model.FileName);
            else if (await IsRepairedAsync(model, cancellationToken))
                await RefreshAsync(model.Category, cancellationToken);
        }
    }

    private async Task<bool> IsRepairedAsync(StoredModel model, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(() => files.CheckAsync(model, cancellationToken).AsTask(), cancellationToken) is null;
        }
        catch (ObjectStoreAwayException)
        {
            // Not known now. Changes of other categories must not wait for it.
            return false;
        }
    }

    private async Task<Dictionary<string, (long Revision, bool Wanted)>> ReadCategoriesAsync(
        CancellationToken cancellationToken
    )
    {
        var scores = role.Value.Scores;
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        var categories = await db
            .Categories.Select(c => new
            {
                c.Name,
                c.Revision,
                Wanted = scores && c.Pinned && c.ActiveVersion != null,
            })
            .ToListAsync(cancellationToken);
        return categories.ToDictionary(c => c.Name, c => (c.Revision, c.Wanted), StringComparer.Ordinal);
    }

    private async Task<bool> IsStoredAsync(StoredModel model, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        return await db.Models.AnyAsync(
            m => m.Category == model.Category && m.FileName == model.FileName,
            cancellationToken
        );
    }

    /// <summary>
    /// Gets the current snapshot without a look into the database; null when there is none, or when a client of this
    /// replica has seen a fit succeed since the last look.
    /// </summary>
    private CategoryModel? FindCurrent(string category)
    {
        if (notices.TryGet(category, out _) || !_current.TryGetValue(category, out var ready))
            return null;
        ready.Cached.Touch();
        return ready;
    }

    private async Task<Outcome<(CategoryModel Model, bool Loaded)>> LoadActiveAsync(
        string category,
        CancellationToken cancellationToken
    )
    {
        var hasNotice = notices.TryGet(category, out var notice);
        if (hasNotice && _current.TryGetValue(category, out var last))
        {
            var asked = FindCategoryAsync(category, CancellationToken.None);
            if (!await patience.WaitAsync(asked, cancellationToken) || !asked.IsCompletedSuccessfully)
                return (last, false);
        }
        Outcome<(CategoryModel Model, bool Loaded)> loaded;
        try
        {
            loaded = await LoadAsync(category, version: null, cancellationToken);
        }
        catch (Exception e) when (DatabaseFaults.IsAway(e) && _current.TryGetValue(category, out var latest))
        {
            // The line goes on; the notice stays until the database can be asked.
            return (latest, false);
        }
        if (!hasNotice)
            return loaded;
        notices.Remove(category, notice!);
        // A new version that cannot be loaded just now does not stop the one that scores; the poll tries again.
        return loaded.Problem is not null && _current.TryGetValue(category, out var ready) ? (ready, false) : loaded;
    }

    private async Task<Outcome<(CategoryModel Model, bool Loaded)>> LoadAsync(
        string name,
        int? version,
        CancellationToken cancellationToken
    )
    {
        // A burst of first requests reads the file once.
        using var gate = await _gates.EnterAsync(name, cancellationToken);
        var category = await FindCategoryAsync(name, cancellationToken);
        if (category is null)
        {
            _current.TryRemove(name, out _);
            cache.Remove(name);
            files.RemoveDamage(name);
            metrics.Remove(name);
            return Problems.CategoryNotFound(name);
        }
        if (!category.Pinned || category.ActiveVersion is null)
            cache.Unpin(name);
        if ((version ?? category.ActiveVersion) is not { } wanted)
        {
            _current.TryRemove(name, out _);
            metrics.Remove(name);
            return Problems.ModelNotReady(name);
        }
        if (
            version is null
            && _current.TryGetValue(name, out var ready)
            && ready.Revision == category.Revision
            && (ready.StandsInFor is not { } active || files.FindDamage(active) is not null)
        )
            return (ready, false);

        var stored = await FindModelAsync(name, wanted, cancellationToken);
        if (stored is null)
            return Problems.ModelNotFound(name, wanted);
        var changes = await CountThresholdChangesAsync(name, cancellationToken);
        // Pinned before it is read, so that it cannot be evicted in between.
        if (role.Value.Scores && category.Pinned && stored.Version == category.ActiveVersion)
            cache.Pin(stored);
        if ((await OpenAsync(stored)).Succeeded(out var opened, out var problem))
            return SetCurrent(Snapshot(category, stored, opened.Cached, changes, standsInFor: null), opened.Loaded);
        var isDamaged = files.GetState(stored) != ModelState.Ready;
        if (
            version is null
            && isDamaged
            && await FindStandInAsync(category, stored, changes, cancellationToken) is { } standIn
        )
            return SetCurrent(standIn.Model, standIn.Loaded);
        if (version is null)
            metrics.SetUnusable(name, wanted);
        // No other version may keep scoring in place of one that fails its self-test, or of the damaged one after
        // its stand-in was dropped.
        if (version is null && (isDamaged || _failed.ContainsKey(ModelCache.GetKey(stored))))
            _current.TryRemove(name, out _);
        return problem;

        (CategoryModel, bool) SetCurrent(CategoryModel snapshot, bool loaded)
        {
            if (version is not null)
                return (snapshot, loaded);
            _current[name] = snapshot;
            metrics.SetReady(snapshot);
            return (snapshot, loaded);
        }
    }

    /// <summary>
    /// Finds the newest version before the active one that can score. Never a later one: after a rollback, the newer
    /// version is not wanted.
    /// </summary>
    private async Task<(CategoryModel Model, bool Loaded)?> FindStandInAsync(
        Category category,
        StoredModel active,
        int changes,
        CancellationToken cancellationToken
    )
    {
        foreach (var candidate in await ListEarlierAsync(active, cancellationToken))
        {
            if (!(await OpenAsync(candidate)).Succeeded(out var opened, out _))
                continue;
            if (role.Value.Scores && category.Pinned)
                cache.Pin(candidate);
            if (!_current.TryGetValue(active.Category, out var before) || before.Version != candidate.Version)
                LogStandIn(candidate.Version, active.Version, active.Category);
            return (Snapshot(category, candidate, opened.Cached, changes, standsInFor: active), opened.Loaded);
        }
        return null;
    }

    private async Task<Category?> FindCategoryAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        return await db.Categories.AsNoTracking().SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
    }

    private async Task<StoredModel?> FindModelAsync(string category, int version, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        return await db
            .Models.AsNoTracking()
            .SingleOrDefaultAsync(m => m.Category == category && m.Version == version, cancellationToken);
    }

    private async Task<int> CountThresholdChangesAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        return await db.ThresholdChanges.CountAsync(change => change.Category == category, cancellationToken);
    }

    private async Task<List<StoredModel>> ListEarlierAsync(StoredModel active, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateQuickAsync(cancellationToken);
        return await db
            .Models.AsNoTracking()
            .Where(m => m.Category == active.Category && m.Version < active.Version)
            .OrderByDescending(m => m.Version)
            .ToListAsync(cancellationToken);
    }

    private async Task<Outcome<(CachedModel Cached, bool Loaded)>> OpenAsync(StoredModel stored)
    {
        if (cache.Get(stored) is { } held)
            return (held, false);
        // Neither the file nor the machine changes, so a failed version is not read again every second.
        if (_failed.TryGetValue(ModelCache.GetKey(stored), out var known))
            return known;
        if (files.FindDamage(stored) is { } damage)
            return damage;
        // To read, hash and test a model takes seconds of a processor: not on the thread of a request.
        return await Task.Run(() => ReadAsync(stored));
    }

    /// <summary>Reads a model, tests it and puts it into the cache.</summary>
    private async Task<Outcome<(CachedModel Cached, bool Loaded)>> ReadAsync(StoredModel stored)
    {
        ModelScorer? untested = null;
        using var trace = Instruments
            .Source.StartActivity("padim.model.load")
            ?.SetTag("padim.category", stored.Category)
            .SetTag("padim.model.version", stored.Version);
        var began = time.GetTimestamp();
        var result = "loaded";
        try
        {
            if (!(await files.ReadAsync(stored, CancellationToken.None)).Succeeded(out var model, out var problem))
            {
                result = "unusable";
                return problem;
            }
            untested = ModelScorer.Open(model, backbones.Open(stored.BackboneName));
            var compute = ComputeContext.OnThreadPool(untested.Runtime.Threads, bindsCaller: true);
            if (SelfTest.Validate(untested, compute) is { } deviation)
            {
                result = "self_test_failed";
                return _failed[ModelCache.GetKey(stored)] = Problems.SelfTestFailed(deviation);
            }
            var (cached, evicted) = cache.Put(stored, untested);
            untested = null;
            Forget(evicted);
            return (cached, true);
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException)
        {
            result = "unusable";
            return Problems.ModelUnusable(e.Message);
        }
        catch (ObjectStoreAwayException)
        {
            // Logged where it was noticed. The version is loaded when it is asked for again.
            result = ProblemCodes.StorageUnavailable;
            return Problems.StorageUnavailable();
        }
        catch (OnnxRuntimeException e)
        {
            // Not recorded as a failure: a device that is out of memory now may have some later.
            result = ProblemCodes.DeviceFailed;
            LogDeviceFailed(stored.Version, stored.Category);
            device.RecordFailure(e);
            return Problems.DeviceFailed();
        }
        finally
        {
            untested?.Dispose();
            metrics.RecordLoad(result, time.GetElapsedTime(began));
            trace
                ?.SetTag("padim.model.load.result", result)
                .SetStatus(result == "loaded" ? ActivityStatusCode.Unset : ActivityStatusCode.Error);
        }
    }

    /// <summary>Removes the snapshots of evicted models, which would keep them in memory beyond the budget.</summary>
    private void Forget(IReadOnlyList<CachedModel> evicted)
    {
        foreach (var snapshot in _current.Values.Where(snapshot => evicted.Contains(snapshot.Cached)))
            _current.TryRemove(KeyValuePair.Create(snapshot.Category, snapshot));
    }

    private static CategoryModel Snapshot(
        Category category,
        StoredModel stored,
        CachedModel cached,
        int thresholdChanges,
        StoredModel? standsInFor
    )
    {
        var calibration = cached.Scorer.Model.Calibration;
        var threshold = stored.ThresholdOverride ?? calibration.GetThreshold(category.FalseRejectRate);
        double? review =
            category.Settings.ReviewRate is { } rate && rate > category.FalseRejectRate
                ? Math.Min(threshold, calibration.GetThreshold(rate))
                : null;
        return new CategoryModel(
            category.Name,
            stored.Version,
            cached,
            threshold,
            stored.ThresholdOverride is null,
            category.FalseRejectRate,
            review,
            thresholdChanges,
            category.Settings.RefusedWarnings,
            category.Settings.Inspections,
            standsInFor is not null || stored.Version == category.ActiveVersion,
            category.Revision,
            standsInFor
        )
        {
            ShadowVersion = category.ShadowVersion == stored.Version ? null : category.ShadowVersion,
        };
    }

    private sealed class FitMemory(ModelCache cache, long bytes) : IDisposable
    {
        public void Dispose() => cache.EndFit(bytes);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Category {Category} cannot score: {Code}: {Detail}")]
    private partial void LogNotReady(string category, string code, string detail);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Version {StandIn} stands in for version {Version} of {Category}, whose file is damaged"
    )]
    private partial void LogStandIn(int standIn, int version, string category);

    [LoggerMessage(Level = LogLevel.Error, Message = "The device failed while loading version {Version} of {Category}")]
    private partial void LogDeviceFailed(int version, string category);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not read changes by other replicas")]
    private partial void LogPollFailure(Exception exception);
}
