using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>How SQLite finds the rows of pages, figures and exports, for every combination that can be asked for.</summary>
public sealed class LedgerPathTests : IAsyncLifetime
{
    /// <summary>More rows than are sorted, and an hour with fewer.</summary>
    private const int Rows = 25_000;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(_data.Path, ("JobWorkers", 0));
        await _service.Category("c1").CreateAsync(new { inspections = new { days = 3660 } });
        await using var ledger = await OpenAsync();
        await using var fill = ledger.CreateCommand();
        var first = InspectionKey.FromTime(Start.UtcDateTime);
        var step = InspectionKey.FromTime(DateTime.UnixEpoch.AddSeconds(1));
        fill.CommandText = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {Rows - 1})
            INSERT INTO "Inspections" ("Key", "Id", "Category", "Part", "Decision", "Score", "Threshold", "PValue",
                "ModelVersion", "ThresholdVersion", "Fallback", "Width", "Height", "Sha256", "Timings", "Replica")
            SELECT {first} + i * {step}, 'i' || i, 'c1', 'P' || (i / 8), CASE WHEN i % 97 = 0 THEN 'Anomalous' ELSE 'Normal'
                END, 10 + (i * 7919 % 1000003) / 20000.0, 30, 0.3, 1, 0, 0, 512, 512, printf('%064x', i), '0,0,0,0,0,0', 'a'
            FROM n
            """
        );
        await fill.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task Every_page_comes_from_an_index_and_only_few_rows_are_sorted()
    {
        var store = _service.Get<InspectionStore>();
        var (asked, sorted) = (0, 0);
        foreach (var query in Combine())
        foreach (var order in Enum.GetValues<InspectionOrder>())
        {
            var cursor = order is InspectionOrder.Newest or InspectionOrder.Oldest ? "1809661000000000000" : "7 40.5";
            foreach (var after in new[] { "", cursor })
            {
                var plans = await ExplainAsync(async () =>
                    (await store.ListAsync(query, null, order, new PageRequest(50, after), default)).GetOrThrow()
                );
                var plan = plans[^1];
                var isByScore = order is InspectionOrder.Highest or InspectionOrder.Lowest;
                // Those of a part or of a verdict are few, and so are those of this hour.
                var isFew =
                    query.Part is not null
                    || query.Verdict?.Value is VerdictFilter.Good or VerdictFilter.Defective or VerdictFilter.Unsure
                    || query.From is { } from && from > Start && !query.IsNotNormal;
                var isSorted = plan.Contains("TEMP B-TREE", StringComparison.Ordinal);
                Assert.True(!isSorted || isByScore && isFew, $"{query} {order}:\n{plan}");
                Assert.All(plans, Holds);
                if (query.Part is not null || query.Verdict?.Value is VerdictFilter.Good)
                    Assert.True(HasName(plan), $"{query} {order}:\n{plan}");
                asked++;
                sorted += isSorted ? 1 : 0;

                void Holds(string one) => AssertIndex(one, $"{query} {order}");
            }
        }
        Assert.InRange(asked, 1000, 10_000);
        Assert.InRange(sorted, 1, asked / 2);
        // Without a category there is only the time, which is the table's own order.
        foreach (var order in new[] { InspectionOrder.Newest, InspectionOrder.Oldest })
        foreach (var to in new DateTimeOffset?[] { null, Start.AddHours(2) })
        {
            var all = InspectionQuery.Of("c1") with { Category = null, To = to };
            var plan = Assert.Single(
                await ExplainAsync(async () =>
                    (await store.ListAsync(all, null, order, new PageRequest(50, ""), default)).GetOrThrow()
                )
            );
            Assert.DoesNotContain("TEMP B-TREE", plan, StringComparison.Ordinal);
            Assert.Equal(to is not null, plan.Contains("PRIMARY KEY (rowid<?)", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Exports_and_maps_come_in_the_order_of_an_index()
    {
        var store = _service.Get<InspectionStore>();
        var figures = _service.Get<InspectionFigures>();
        foreach (var query in Combine())
        {
            var plans = await ExplainAsync(async () =>
            {
                await foreach (var _ in store.ReadAsync(query, 1, default)) { }
                await figures.MapAsync(query, 16, default);
            });
            foreach (var plan in plans)
            {
                AssertIndex(plan, $"{query}");
                Assert.False(plan.Contains("TEMP B-TREE", StringComparison.Ordinal), $"{query}:\n{plan}");
            }
        }
    }

    [Fact]
    public async Task A_summary_is_two_statements_that_look_into_indexes()
    {
        var figures = _service.Get<InspectionFigures>();
        var hours = Enumerable.Range(0, 400).Select(hour => Start.UtcDateTime.AddHours(hour)).ToArray();
        var plans = await ExplainAsync(() => figures.CountAsync("c1", hours, default));
        AssertSummary(Assert.Single(plans), "Quarter>? AND Quarter<?");
        plans = await ExplainAsync(() => figures.CountAsync("c1", [.. hours.Select(at => at.AddMinutes(1))], default));
        Assert.Equal(2, plans.Count);
        AssertSummary(plans[0], "Quarter>? AND Quarter<?");
        AssertSummary(plans[1], "Category=? AND rowid>? AND rowid<?");

        static void AssertSummary(string plan, string search) =>
            Assert.Contains(search, plan, StringComparison.Ordinal);
    }

    /// <summary>All combinations of filters, but of those that only leave rows out.</summary>
    private static IEnumerable<InspectionQuery> Combine() =>
        from decision in new Choice<Decision>?[] { null, new(Decision.Normal), new(Decision.Anomalous) }
        from verdict in new VerdictFilter?[] { null, VerdictFilter.Good, VerdictFilter.None, VerdictFilter.Open }
        from part in new[] { null, "P21" }
        from span in new (DateTimeOffset? From, DateTimeOffset? To)[]
        {
            (null, null),
            (Start, null),
            (Start.AddHours(1), Start.AddHours(2)),
        }
        from scores in new (double? Min, double? Max)[] { (null, null), (11, 59) }
        select new InspectionQuery(
            "c1",
            part,
            null,
            null,
            decision,
            verdict is { } said ? new Choice<VerdictFilter>(said) : null,
            span.From,
            span.To,
            scores.Min,
            scores.Max
        );

    /// <summary>Gets whether an index of parts or verdicts is used.</summary>
    private static bool HasName(string plan) =>
        plan.Contains("Part=?", StringComparison.Ordinal) || plan.Contains("Verdict=?", StringComparison.Ordinal);

    private static void AssertIndex(string plan, string what) =>
        Assert.True(
            plan.Contains("SEARCH", StringComparison.Ordinal)
                && plan.Contains("USING", StringComparison.Ordinal)
                && !$"{plan}\n".Contains("SCAN i\n", StringComparison.Ordinal),
            $"{what}:\n{plan}"
        );

    /// <summary>Gets how SQLite would answer what is asked of the ledger.</summary>
    private async Task<List<string>> ExplainAsync(Func<Task> ask)
    {
        var commands = new List<(string Text, (string Name, object? Value)[] Parameters)>();
        using (CommandObserver.Observe(command => commands.Add(Copy(command))))
            await ask();
        await using var ledger = await OpenAsync();
        var plans = new List<string>();
        foreach (var (text, parameters) in commands.Where(command => command.Text.Contains("\"Inspection")))
        {
            await using var explain = ledger.CreateCommand();
            explain.CommandText = $"EXPLAIN QUERY PLAN {text}";
            foreach (var (name, value) in parameters)
                explain.Parameters.AddWithValue(name, value ?? DBNull.Value);
            await using var steps = await explain.ExecuteReaderAsync();
            var plan = new List<string>();
            while (await steps.ReadAsync())
                plan.Add(steps.GetString(3));
            plans.Add(string.Join('\n', plan));
        }
        return plans;
    }

    private static (string Text, (string Name, object? Value)[] Parameters) Copy(DbCommand command) =>
        (
            command.CommandText,
            [.. command.Parameters.Cast<DbParameter>().Select(parameter => (parameter.ParameterName, parameter.Value))]
        );

    private async Task<SqliteConnection> OpenAsync()
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = _data.Combine("inspections.db"),
                Pooling = false,
            }.ToString()
        );
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Hears of the statements that one flow of control sends.</summary>
    private sealed class CommandObserver : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        private static readonly AsyncLocal<Action<DbCommand>?> Current = new();

        static CommandObserver() => DiagnosticListener.AllListeners.Subscribe(new CommandObserver());

        public static IDisposable Observe(Action<DbCommand> take)
        {
            Current.Value = take;
            return new End();
        }

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == Microsoft.EntityFrameworkCore.DbLoggerCategory.Name)
                value.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (
                value.Key == RelationalEventId.CommandExecuting.Name
                && value.Value is CommandEventData { Command: var sent }
            )
                Current.Value?.Invoke(sent);
        }

        public void OnCompleted() { }

        public void OnError(Exception error) { }

        private sealed class End : IDisposable
        {
            public void Dispose() => Current.Value = null;
        }
    }
}
