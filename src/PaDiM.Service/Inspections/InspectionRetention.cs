using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Inspections;

/// <summary>
/// Deletes what is no longer to be kept, once a minute and in small pieces: rows that are too old, rows of categories that
/// are gone, images beyond their bytes, and images without a row. One replica does it for all.
/// </summary>
internal sealed partial class InspectionRetention(
    IDbContextFactory<PadimDbContext> contexts,
    InspectionStore store,
    IObjectStore objects,
    DiskSpace disk,
    RetentionTime clock,
    Duties duties,
    IOptions<InspectionOptions> options,
    TimeProvider time,
    ILogger<InspectionRetention> logger
) : BackgroundService
{
    private const string Duty = "inspections";

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Images are listed less often, because every thousand of them cost a request of a bucket.</summary>
    private static readonly TimeSpan OrphanInterval = TimeSpan.FromHours(6);

    /// <summary>How long an image may be without its row.</summary>
    private static readonly TimeSpan OrphanGrace = TimeSpan.FromMinutes(10);

    private DateTime? _orphansSweptAt;

    /// <summary>Deletes once. Returns the number of deleted rows.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var now = await clock.AdvanceAsync(cancellationToken);
        // Before the settings: a category that is created in between has none, and would count as gone.
        var holdings = await store.ListHoldingsAsync(cancellationToken);
        var settings = await ReadSettingsAsync(cancellationToken);
        var deleted = 0;
        var kept = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (category, firstKey, imageBytes) in holdings)
        {
            var days = settings.GetValueOrDefault(category)?.Days ?? 0;
            var before = days > 0 ? InspectionKey.FromTime(now.AddDays(-days)) : long.MaxValue;
            var bytes = imageBytes;
            if (firstKey < before)
            {
                deleted += await store.DeleteAsync(category, part: null, before, cancellationToken);
                bytes = days == 0 ? 0 : await store.SumImagesAsync(category, cancellationToken);
            }
            if (days == 0)
                continue;
            if (settings[category].Bytes is { } most && bytes > most)
                bytes -= await store.EvictImagesAsync(category, bytes - most, cancellationToken);
            kept[category] = bytes;
        }
        await EvictAsync(kept, cancellationToken);
        if (_orphansSweptAt is not { } swept || now - swept >= OrphanInterval || now < swept)
        {
            await SweepOrphansAsync(now, cancellationToken);
            _orphansSweptAt = now;
        }
        return deleted;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Periodically.RunAsync(Interval, time, TakeTurnAsync, LogFailure, stoppingToken);

    /// <summary>Deletes once, unless another replica is at it or has just been.</summary>
    private async Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        await using var lease = await duties.TryBeginAsync(Duty, Interval / 2, cancellationToken);
        if (lease is null)
            return;
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        if (await RunAsync(both.Token) is var deleted and > 0)
            LogDeleted(deleted);
        await lease.CompleteAsync(report: null);
    }

    /// <summary>Lets the category with the most make room, until all images together fit.</summary>
    private async Task EvictAsync(Dictionary<string, long> kept, CancellationToken cancellationToken)
    {
        var most = options.Value.InspectionImageMegabytes is { } megabytes ? (long)megabytes << 20 : disk.Size / 10;
        while (kept.Values.Sum() - most is var excess and > 0)
        {
            var (category, bytes) = kept.MaxBy(pair => pair.Value);
            // Not much more than the next one has, so that none gives way alone.
            var next = kept.Where(pair => pair.Key != category).Select(pair => pair.Value).DefaultIfEmpty(0).Max();
            var freed = await store.EvictImagesAsync(
                category,
                Math.Min(excess, Math.Max(1, bytes - next)),
                cancellationToken
            );
            if (freed == 0)
                return;
            kept[category] = Math.Max(0, bytes - freed);
        }
    }

    /// <summary>Deletes images that a crash left without a row, or whose category is gone.</summary>
    private async Task SweepOrphansAsync(DateTime now, CancellationToken cancellationToken)
    {
        var images = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        await foreach (var image in objects.ListAsync($"{DataDirectory.InspectionsName}/", cancellationToken))
            if (image.PutAt < now - OrphanGrace && image.Key.Split('/') is [_, var category, _])
            {
                if (!images.TryGetValue(category, out var list))
                    images[category] = list = [];
                list.Add(image.Key);
            }
        foreach (var (category, list) in images)
        foreach (var orphan in await store.FindOrphansAsync(category, list, cancellationToken))
            await objects.DeleteAsync(orphan, cancellationToken);
    }

    private async Task<Dictionary<string, InspectionSettings>> ReadSettingsAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var categories = await db.Categories.AsNoTracking().ToListAsync(cancellationToken);
        return categories.ToDictionary(c => c.Name, c => c.Settings.Inspections, StringComparer.Ordinal);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} inspections that are no longer kept")]
    private partial void LogDeleted(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not delete inspections that are no longer kept")]
    private partial void LogFailure(Exception exception);
}
