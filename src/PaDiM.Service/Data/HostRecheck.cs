using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace PaDiM.Service.Data;

/// <summary>
/// Decides when a host of several is asked again that was gone or was a standby. Npgsql does so every ten seconds, in a
/// request, which waits for the time-out of a connection where the host does not answer: with a dead first host half of
/// all requests would wait for five seconds. And it does so no earlier, even if all hosts are gone: a restart of half a
/// second would last for ten. So here it is rare while one of the hosts is the primary, and once a second while none is.
/// </summary>
internal sealed class HostRecheck(NpgsqlMultiHostDataSource hosts, TimeProvider time) : DbConnectionInterceptor
{
    /// <summary>How long Npgsql may believe what it knows of a host.</summary>
    public const int Seconds = 300;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private long _last = time.GetTimestamp();

    /// <summary>Creates what a source with several hosts needs.</summary>
    public static IEnumerable<IInterceptor> CreateFor(NpgsqlDataSource source, TimeProvider time) =>
        source is NpgsqlMultiHostDataSource hosts ? [new HostRecheck(hosts, time)] : [];

    public override void ConnectionFailed(DbConnection connection, ConnectionErrorEventData eventData) => Forget();

    public override Task ConnectionFailedAsync(
        DbConnection connection,
        ConnectionErrorEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Forget();
        return Task.CompletedTask;
    }

    private void Forget()
    {
        var last = Volatile.Read(ref _last);
        if (
            time.GetElapsedTime(last) >= Pause
            && Interlocked.CompareExchange(ref _last, time.GetTimestamp(), last) == last
        )
            hosts.ClearDatabaseStates();
    }
}
