using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What is known of a database that does not answer, and how long is waited for it.</summary>
public sealed class AwayDatabaseTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LinePatience _patience;
    private readonly TaskCompletionSource _never = new();

    public AwayDatabaseTests() => _patience = new LinePatience(_time);

    /// <summary>Npgsql remembers for ten seconds that hosts were gone, and then says something else.</summary>
    [Theory]
    [InlineData("Host=127.0.0.1;Port=1")]
    [InlineData("Host=127.0.0.1,127.0.0.2;Port=1")]
    [InlineData("Host=127.0.0.1,127.0.0.2;Port=1;Target Session Attributes=primary")]
    public async Task A_server_that_cannot_be_reached_is_away_with_any_number_of_hosts(string hosts)
    {
        await using var source = NpgsqlDataSource.Create($"{hosts};Username=padim;Database=padim");
        for (var i = 0; i < 2; i++)
        {
            var e = await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await source.OpenConnectionAsync());
            Assert.True(DatabaseFaults.IsAway(new InvalidOperationException("EF wraps it.", e)), e.Message);
        }
    }

    /// <summary>Without a second that passes, Npgsql would know nothing of it for minutes.</summary>
    [Fact]
    public async Task A_server_that_is_back_is_found_after_a_second_with_several_hosts()
    {
        var server = await PostgresServer.GetAsync();
        var port = FreePort.Find();
        var database = new NpgsqlConnectionStringBuilder(await server.CreateAsync())
        {
            Host = $"127.0.0.1:{port},127.0.0.1:1",
            TargetSessionAttributes = "primary",
        };
        await using var engine = new PostgresEngine(
            Options.Create(new DataOptions { Database = { ConnectionString = database.ConnectionString } }),
            NullLoggerFactory.Instance,
            new ServiceCollection().BuildServiceProvider(),
            _time
        );
        Assert.False(await CanConnectAsync());
        using var back = new Forwarder(server.Port, port);
        Assert.False(await CanConnectAsync());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await CanConnectAsync());
        Assert.True(await CanConnectAsync());

        async Task<bool> CanConnectAsync()
        {
            await using var db = engine.CreateDbContext();
            try
            {
                await db.Categories.AnyAsync();
                return true;
            }
            catch (Exception e)
            {
                Assert.True(DatabaseFaults.IsAway(e), e.ToString());
                return false;
            }
        }
    }

    [Theory]
    [InlineData(PostgresErrorCodes.AdminShutdown, true)]
    [InlineData(PostgresErrorCodes.CannotConnectNow, true)]
    [InlineData(PostgresErrorCodes.ReadOnlySqlTransaction, true)]
    [InlineData(PostgresErrorCodes.UniqueViolation, false)]
    [InlineData(PostgresErrorCodes.SyntaxError, false)]
    public void What_the_server_says_decides(string state, bool isAway) =>
        Assert.Equal(isAway, DatabaseFaults.IsAway(new PostgresException("It says so.", "ERROR", "ERROR", state)));

    [Fact]
    public async Task A_line_waits_a_second_once_and_then_not_at_all_for_a_while()
    {
        var waiting = _patience.WaitAsync(_never.Task, default).AsTask();
        Assert.False(waiting.IsCompleted);
        _time.Advance(LinePatience.Wait);
        Assert.False(await waiting);
        Assert.True(_patience.IsSpent);
        Assert.False(await _patience.WaitAsync(_never.Task, default));
        Assert.True(await _patience.WaitAsync(Task.CompletedTask, default));

        _time.Advance(LinePatience.Rest);
        var again = _patience.WaitAsync(_never.Task, default).AsTask();
        Assert.False(again.IsCompleted);
        _never.SetResult();
        Assert.True(await again);
        Assert.False(_patience.IsSpent);
    }

    [Fact]
    public async Task A_client_that_leaves_does_not_spend_it()
    {
        using var client = new CancellationTokenSource();
        var waiting = _patience.WaitAsync(_never.Task, client.Token).AsTask();
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(_patience.IsSpent);
    }
}
