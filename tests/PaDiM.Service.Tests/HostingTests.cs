using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

public sealed class HostingTests(SharedService shared)
{
    [Fact]
    public async Task Health_tells_that_it_lives_and_can_score()
    {
        Assert.Equal("ok", (await shared.Http.GetJsonAsync("/health/live")).Text("status"));
        var ready = await shared.Http.GetJsonAsync("/health/ready");
        Assert.Equal(
            ("ok", "ok", "ok"),
            (ready.Text("status"), ready["checks"]!.Text("database"), ready["checks"]!.Text("backbone"))
        );
    }

    [Fact]
    public async Task The_system_tells_what_it_really_runs_on()
    {
        var system = await shared.Http.GetJsonAsync("/v1/system");
        Assert.Equal(("cpu", "CPUExecutionProvider"), (system.Text("device"), system.Text("executionProvider")));
        Assert.Matches(@"^\d+\.\d+\.\d+", system.Text("version"));
        var tiny = system.Items("backbones").Single(backbone => backbone.Text("name") == "tiny");
        Assert.Matches("^[0-9a-f]{64}$", tiny.Text("sha256"));
        Assert.True(tiny["builtIn"]!.GetValue<bool>());
        Assert.NotEqual("", tiny.Text("origin"));
        Assert.Null(tiny["error"]);
        Assert.True(system["memory"]!.Number("workingSet") > 0);
    }

    [Fact]
    public async Task Every_answer_names_the_replica()
    {
        var name = (await shared.Http.GetJsonAsync("/v1/system")).Text("replica");
        Assert.Equal(Environment.MachineName, name);
        foreach (var address in new[] { "/health/ready", "/v1/categories", "/v1/nowhere" })
            Assert.Equal([name], (await shared.Http.GetAsync(address)).Headers.GetValues(ResultHeaders.Replica));
        using var data = new TempDirectory();
        var (exitCode, _, error) = await ServiceCommand.RefusedAsync(data.Path, ("ReplicaName", "line 1"));
        Assert.Equal(1, exitCode);
        Assert.Contains("ReplicaName", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_a_problem_too()
    {
        await (await shared.Http.GetAsync("/v1/nowhere")).ProblemAsync(404, "route_not_found");
        var refused = await shared.Http.PatchAsync("/v1/system", null);
        Assert.Contains("GET", refused.Content.Headers.Allow);
        await refused.ProblemAsync(405, "method_not_allowed");
    }

    [Fact]
    public async Task The_address_itself_leads_to_the_documentation()
    {
        var page = await shared.Http.GetAsync("/");
        Assert.Equal((200, "text/html"), ((int)page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.Equal("3.", (await shared.Http.GetJsonAsync("/swagger/v1/swagger.json")).Text("openapi")[..2]);
    }

    [Theory]
    [InlineData(28, true)]
    [InlineData(unchecked((int)0x80070070), true)]
    [InlineData(5, false)]
    public void A_full_disk_is_told_from_other_failures(int result, bool full)
    {
        var failure = new IOException("failure", result);
        Assert.Equal(full, ExceptionProblems.IsStorageFull(failure));
        Assert.Equal(full, ExceptionProblems.IsStorageFull(new DbUpdateException("failure", failure)));
        Assert.Equal(
            full,
            ExceptionProblems.IsStorageFull(new AggregateException(new InvalidOperationException(), failure))
        );
    }

    [Fact]
    public void A_full_database_is_a_full_disk()
    {
        Assert.True(ExceptionProblems.IsStorageFull(new SqliteException("database or disk is full", 13)));
        Assert.False(ExceptionProblems.IsStorageFull(new SqliteException("database is locked", 5)));
        var full = new PostgresException("could not extend file", "ERROR", "ERROR", PostgresErrorCodes.DiskFull);
        Assert.True(ExceptionProblems.IsStorageFull(new DbUpdateException("failure", full)));
        Assert.Equal((507, "storage_full"), (Problems.StorageFull().Status, Problems.StorageFull().Code));
    }
}
