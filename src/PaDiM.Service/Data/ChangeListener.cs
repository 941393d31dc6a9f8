using Microsoft.Extensions.Options;
using Npgsql;

namespace PaDiM.Service.Data;

/// <summary>
/// Listens for the changes of other replicas in PostgreSQL, whose triggers report them
/// (<see cref="ChangeFeed.Channel"/>). SQLite has no such thing; there this does nothing.
/// </summary>
internal sealed partial class ChangeListener(
    IOptions<DataOptions> options,
    IDatabaseEngine engine,
    ChangeFeed feed,
    TimeProvider time,
    ILogger<ChangeListener> logger
) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1),
        ProbeWait = TimeSpan.FromSeconds(5),
        RetryBehindPooler = TimeSpan.FromMinutes(5);

    private bool _hasToldFailure;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (engine is not PostgresEngine postgres)
            return;
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Retry;
            try
            {
                if (!await ListenAsync(postgres, stoppingToken))
                {
                    pause = RetryBehindPooler;
                    Tell(() => LogNotHeard());
                }
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The idle connections of the pool ended with this one: the next request to take one would fail.
                postgres.ForgetConnections();
                Tell(() => LogFailure(e));
            }
            try
            {
                await Task.Delay(pause, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        // The loop runs every second, but a server that stays away is logged once.
        void Tell(Action log)
        {
            if (!_hasToldFailure)
                log();
            _hasToldFailure = true;
        }
    }

    /// <summary>Listens until the connection ends. Returns false if notifications do not arrive on it.</summary>
    private async Task<bool> ListenAsync(PostgresEngine postgres, CancellationToken stopping)
    {
        var settings = options.Value.Database;
        var parsed = PostgresEngine.Parse(settings.ListenConnectionString ?? settings.ConnectionString!);
        parsed.Pooling = false;
        // A connection whose host is gone without closing it is noticed after this time.
        parsed.KeepAlive = 3;
        // No request waits for this connection, so it may look for a new primary all the time.
        parsed.HostRecheckSeconds = 1;
        await using var connection = new NpgsqlConnection(parsed.ConnectionString);
        await connection.OpenAsync(stopping);
        var probe = $"{Guid.NewGuid():n}";
        var isHeard = false;
        connection.Notification += (_, notification) =>
        {
            if (notification.Payload == probe)
                isHeard = true;
            else if (Enum.TryParse<SharedTable>(notification.Payload, out var table))
                feed.Report(table);
        };
        await using (var listen = connection.CreateCommand())
        {
            listen.CommandText = $"LISTEN {ChangeFeed.Channel}";
            await listen.ExecuteNonQueryAsync(stopping);
        }
        // A pooler in transaction mode accepts LISTEN, and gives the session to others.
        await postgres.NotifyAsync(probe, stopping);
        for (var began = time.GetTimestamp(); !isHeard; )
            if (
                !await connection.WaitAsync(ProbeWait, stopping) && !isHeard
                || (!isHeard && time.GetElapsedTime(began) > ProbeWait)
            )
                return false;
        if (_hasToldFailure)
            LogHeard();
        _hasToldFailure = false;
        feed.IsHeard = true;
        try
        {
            for (; ; )
                await connection.WaitAsync(stopping);
        }
        finally
        {
            feed.IsHeard = false;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Could not listen for the changes of other replicas; they are found by polling"
    )]
    private partial void LogFailure(Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The notifications of PostgreSQL do not arrive, as behind a pooler in transaction mode; changes of other "
            + "replicas are found by polling. Database:ListenConnectionString may lead around the pooler"
    )]
    private partial void LogNotHeard();

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening for the changes of other replicas again")]
    private partial void LogHeard();
}
