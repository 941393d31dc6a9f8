using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Learning;

/// <summary>
/// Lets candidates score what the line scores, behind its answers. What waits is bounded: a candidate that cannot keep up
/// misses photographs, which are counted, and never holds the line up.
/// </summary>
internal sealed partial class ShadowScorer(
    QuietScorer scorer,
    ModelRegistry registry,
    ShadowLedger ledger,
    ShadowMetrics metrics,
    IDbContextFactory<PadimDbContext> contexts,
    IOptions<ShadowOptions> options,
    IOptions<ReplicaOptions> replica,
    TimeProvider time,
    ILogger<ShadowScorer> logger
) : BackgroundService
{
    private const int MaxWaiting = 1000,
        BatchRows = 50;

    /// <summary>How long a candidate is used without asking whether it still is one, and still in memory.</summary>
    private static readonly TimeSpan Trust = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan TrimInterval = TimeSpan.FromHours(1);

    private readonly Channel<Waiting> _queue = Channel.CreateBounded<Waiting>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true }
    );

    /// <summary>What was missed and is not written yet.</summary>
    private readonly ConcurrentDictionary<(string Category, int Version), long> _missed = new();

    private readonly Dictionary<string, Candidate> _candidates = new(StringComparer.Ordinal);
    private long _held;
    private int _busy;
    private readonly Reminder _reminder = new(time);
    private string? _failure;

    /// <summary>Gets whether nothing waits.</summary>
    public bool IsIdle => Volatile.Read(ref _busy) == 0;

    /// <summary>Takes a photograph over for the candidates of all categories that scored it.</summary>
    public ValueTask AddAsync(ScoredInspection scored)
    {
        foreach (var score in scored.Scores)
        {
            if (score.Model is not { Active: true, ShadowVersion: { } version })
                continue;
            var waiting = new Waiting(
                score.Model,
                version,
                scored.Inspection.Category,
                scored.Inspection.Id,
                scored.Inspection.At,
                scored.File,
                score.Result.Score,
                score.Result.Decision
            );
            Interlocked.Increment(ref _busy);
            if (
                Interlocked.Add(ref _held, scored.File.Bytes.Length) > (long)options.Value.ShadowQueueMegabytes << 20
                || !_queue.Writer.TryWrite(waiting)
            )
                Miss(waiting);
        }
        return ValueTask.CompletedTask;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            ScoreAsync(stoppingToken),
            Periodically.RunAsync(TrimInterval, time, TrimAsync, LogTrimFailure, stoppingToken)
        );

    private async Task ScoreAsync(CancellationToken stoppingToken)
    {
        var rows = new List<StoredShadowScore>(BatchRows);
        try
        {
            while (await _queue.Reader.WaitToReadAsync(stoppingToken))
            {
                while (rows.Count < BatchRows && _queue.Reader.TryRead(out var waiting))
                    if (await TryScoreAsync(waiting, stoppingToken) is { } row)
                        rows.Add(row);
                await WriteAsync(rows);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            while (_queue.Reader.TryRead(out var waiting))
                Miss(waiting);
            await WriteAsync(rows);
        }
    }

    /// <summary>Scores a photograph with the candidate. Null if it was missed.</summary>
    private async Task<StoredShadowScore?> TryScoreAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        try
        {
            var found = await FindCandidateAsync(waiting, cancellationToken);
            if (
                found.Succeeded(out var candidate, out var problem)
                && (await scorer.ScoreAsync(candidate, waiting.File, cancellationToken)).Succeeded(
                    out var score,
                    out problem
                )
            )
            {
                Interlocked.Add(ref _held, -waiting.File.Bytes.Length);
                var decision = candidate.Decide(score);
                return new StoredShadowScore
                {
                    Key = InspectionKey.Create(waiting.At),
                    Category = candidate.Category,
                    Version = candidate.Version,
                    ActiveVersion = waiting.Active.Version,
                    InspectionCategory = waiting.InspectionCategory,
                    InspectionId = waiting.InspectionId,
                    Score = waiting.Score,
                    Decision = waiting.Decision,
                    ShadowScore = score,
                    ShadowDecision = decision,
                    Differs = decision != waiting.Decision,
                };
            }
            // One candidate may fail each time while others score.
            if (_reminder.IsDue())
                LogMissed(waiting.Version, waiting.Active.Category, problem!.Detail);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailure(e, waiting.Version, waiting.Active.Category);
        }
        catch (OperationCanceledException)
        {
            Miss(waiting);
            throw;
        }
        Miss(waiting);
        return null;
    }

    /// <summary>Gets the candidate with the thresholds of the time of the photograph.</summary>
    private async Task<Outcome<CategoryModel>> FindCandidateAsync(Waiting waiting, CancellationToken cancellationToken)
    {
        var category = waiting.Active.Category;
        if (
            _candidates.TryGetValue(category, out var known)
            && (known.Version, known.Revision) == (waiting.Version, waiting.Active.Revision)
            && time.GetElapsedTime(known.At) < Trust
        )
            return known.Model;
        var found = await registry.AcquireAsideAsync(category, waiting.Version, cancellationToken);
        _candidates[category] = new Candidate(found, waiting.Version, waiting.Active.Revision, time.GetTimestamp());
        return found;
    }

    private async Task WriteAsync(List<StoredShadowScore> rows)
    {
        var misses = new List<StoredShadowMiss>();
        foreach (var (key, _) in _missed)
            if (_missed.TryRemove(key, out var count))
                misses.Add(
                    new StoredShadowMiss
                    {
                        Category = key.Category,
                        Version = key.Version,
                        Replica = replica.Value.ReplicaName,
                        Missed = count,
                    }
                );
        try
        {
            if (rows.Count + misses.Count > 0)
                await ledger.WriteAsync(rows, misses, CancellationToken.None);
            metrics.RecordScored(rows.Count);
            _failure = null;
        }
        catch (Exception e)
        {
            if (_failure is null)
                LogWriteFailure(e);
            _failure = e.Message;
            metrics.RecordMissed(rows.Count);
            // The photographs are gone, but what is missing will be known.
            foreach (var row in rows)
                _missed.AddOrUpdate((row.Category, row.Version), 1, (_, count) => count + 1);
            foreach (var miss in misses)
                _missed.AddOrUpdate((miss.Category, miss.Version), miss.Missed, (_, count) => count + miss.Missed);
        }
        Interlocked.Add(ref _busy, -rows.Count);
        rows.Clear();
    }

    private void Miss(Waiting waiting)
    {
        Interlocked.Add(ref _held, -waiting.File.Bytes.Length);
        _missed.AddOrUpdate((waiting.Active.Category, waiting.Version), 1, (_, count) => count + 1);
        metrics.RecordMissed(1);
        Interlocked.Decrement(ref _busy);
    }

    /// <summary>Deletes what is older than its category keeps.</summary>
    private async Task TrimAsync(CancellationToken cancellationToken)
    {
        var names = await ledger.ListCategoriesAsync(cancellationToken);
        if (names.Count == 0)
            return;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        var categories = await db
            .Categories.AsNoTracking()
            .Where(category => names.Contains(category.Name))
            .ToListAsync(cancellationToken);
        foreach (var category in categories)
            await ledger.TrimAsync(category.Name, now.AddDays(-category.Settings.Inspections.Days), cancellationToken);
    }

    /// <summary>A candidate, or why there is none, at a revision of its category.</summary>
    private sealed record Candidate(Outcome<CategoryModel> Model, int Version, long Revision, long At);

    /// <summary>A photograph that waits for a candidate.</summary>
    private sealed record Waiting(
        CategoryModel Active,
        int Version,
        string InspectionCategory,
        string InspectionId,
        DateTime At,
        RequestFile File,
        double Score,
        Decision Decision
    );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Version {Version} of {Category} cannot score in the shadow: {Reason}"
    )]
    private partial void LogMissed(int version, string category, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Version {Version} of {Category} failed in the shadow")]
    private partial void LogFailure(Exception exception, int version, string category);

    [LoggerMessage(Level = LogLevel.Error, Message = "Scores of candidates could not be recorded")]
    private partial void LogWriteFailure(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Old scores of candidates could not be deleted")]
    private partial void LogTrimFailure(Exception exception);
}
