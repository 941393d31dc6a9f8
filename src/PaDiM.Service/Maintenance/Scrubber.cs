using System.Text.Json;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Files;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// Runs a scrub when one is due or requested, one at a time on all replicas, and stores the last report beside the data and
/// for the other replicas, so that a restart does not delay the next one.
/// </summary>
internal sealed partial class Scrubber(
    Scrub scrub,
    DataDirectory data,
    Duties duties,
    IOptions<MaintenanceOptions> options,
    TimeProvider time,
    ILogger<Scrubber> logger
) : BackgroundService, IProgress<int>
{
    /// <summary>After start-up, the disk is needed for models first.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMinutes(5);

    private const string Duty = "scrub";

    private readonly SemaphoreSlim _asked = new(0, 1);
    private volatile bool _running;
    private volatile int _seen;

    /// <summary>Gets the state of scrubbing.</summary>
    public async Task<ScrubResponse> GetStatusAsync(CancellationToken cancellationToken)
    {
        var shared = await duties.FindAsync(Duty, cancellationToken);
        return new ScrubResponse(
            _running || shared?.HeldUntil > time.GetUtcNow().UtcDateTime,
            _running ? _seen : 0,
            shared?.Report is { } report ? JsonSerializer.Deserialize<ScrubReport>(report, Reports.Json) : ReadReport()
        );
    }

    /// <summary>Requests a scrub; has no effect while one is running.</summary>
    public void Start()
    {
        lock (_asked)
        {
            if (!_running && _asked.CurrentCount == 0)
                _asked.Release();
            _running = true;
            _seen = 0;
        }
    }

    /// <summary>Gets whether the last scrub is long enough ago.</summary>
    public bool IsDue() =>
        options.Value.ScrubHours > 0
        && (
            ReadReport() is not { } last
            || time.GetUtcNow().UtcDateTime - last.FinishedAt >= TimeSpan.FromHours(options.Value.ScrubHours)
        );

    void IProgress<int>.Report(int value) => _seen = value;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            for (; ; )
            {
                var isAsked = await _asked.WaitAsync(Poll, stoppingToken);
                if (isAsked || IsDue())
                    await RunAsync(isAsked, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is stopping; the scrub is due again after the next start.
        }
    }

    private async Task RunAsync(bool isAsked, CancellationToken cancellationToken)
    {
        lock (_asked)
        {
            _running = true;
            _seen = 0;
        }
        try
        {
            var interval = isAsked ? TimeSpan.Zero : TimeSpan.FromHours(options.Value.ScrubHours);
            await using var lease = await duties.TryBeginAsync(Duty, interval, cancellationToken);
            if (lease is null)
                return;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
            var report = await scrub.RunAsync(this, either.Token);
            AtomicFile.Write(data.ScrubReport, stream => JsonSerializer.Serialize(stream, report, Reports.Json));
            await lease.CompleteAsync(JsonSerializer.Serialize(report, Reports.Json));
            if (report.IsClean())
                LogClean(report.Checked, report.Orphans.Count);
            else
                LogLoss(report.Missing.Count, report.Damaged.Count, report.Checked, report.Database);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailure(e);
        }
        finally
        {
            lock (_asked)
                _running = false;
        }
    }

    private ScrubReport? ReadReport()
    {
        try
        {
            return JsonSerializer.Deserialize<ScrubReport>(File.ReadAllBytes(data.ScrubReport), Reports.Json);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The scrub verified {Checked} files: none missing or damaged, {Orphans} orphans"
    )]
    private partial void LogClean(int @checked, int orphans);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The scrub found {Missing} missing and {Damaged} damaged files of {Checked}; database: "
            + "{Database}. See GET /v1/system/scrub"
    )]
    private partial void LogLoss(int missing, int damaged, int @checked, string database);

    [LoggerMessage(Level = LogLevel.Error, Message = "The scrub failed")]
    private partial void LogFailure(Exception exception);
}
