using System.Buffers.Text;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The choice of the database, and its schema.</summary>
public sealed class DatabaseTests
{
    private const string Password = "s3cr3t-of-the-database";

    [Fact]
    public void No_change_of_the_model_lacks_a_migration()
    {
        foreach (
            var db in new PadimDbContext[]
            {
                new(new DbContextOptionsBuilder<PadimDbContext>().UseSqlite("Data Source=none").Options),
                new PostgresDbContext(
                    new DbContextOptionsBuilder<PostgresDbContext>().UseNpgsql("Host=none;Database=none").Options
                ),
            }
        )
            using (db)
                Assert.False(db.Database.HasPendingModelChanges(), $"{db.Database.ProviderName} lacks a migration.");
    }

    [Theory]
    [InlineData("postgresql", null, "Database:ConnectionString is required")]
    [InlineData("postgresql", "Host=db;Passwort=" + Password, "Database:ConnectionString must have Npgsql's format")]
    [InlineData("postgresql", "Host=db;Password=" + Password, "name a host and a database")]
    [InlineData("postgresql", "postgresql://padim:" + Password + "@db/padim", "not a postgresql:// URL")]
    [InlineData("sqlite", "Host=db;Database=padim;Password=" + Password, "set Database:Provider to postgresql")]
    [InlineData("mysql", "Host=db", "Database:Provider")]
    public async Task Settings_that_cannot_be_are_named_without_the_password(
        string provider,
        string? connectionString,
        string named
    )
    {
        using var data = new TempDirectory();
        var (exitCode, output, error) = await ServiceCommand.RefusedAsync(
            data.Path,
            [
                ("Database:Provider", provider),
                .. connectionString is null ? [] : new[] { ("Database:ConnectionString", (object)connectionString) },
            ]
        );
        Assert.Equal(1, exitCode);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, error + output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_without_the_password()
    {
        using var data = new TempDirectory();
        var (exitCode, output, error) = await ServiceCommand.RefusedAsync(
            data.Path,
            PostgresServer.Options($"Host=127.0.0.1;Port={FreePort.Find()};Database=padim;Password={Password}")
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("127.0.0.1", error, StringComparison.Ordinal);
        Assert.Contains("refused", error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Password, error + output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_not_created()
    {
        var server = await PostgresServer.GetAsync();
        using var data = new TempDirectory();
        var (exitCode, _, error) = await ServiceCommand.RefusedAsync(
            data.Path,
            PostgresServer.Options(server.GetConnectionString("nowhere"))
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("\"nowhere\" does not exist", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replicas_that_start_at_once_migrate_once()
    {
        var server = await PostgresServer.GetAsync();
        var options = PostgresServer.Options(await server.CreateAsync("template0"));
        using var data = new TempDirectory();
        var replicas = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunningService.StartAsync(data.Path, options)))
        );
        await replicas[0].Category("part").CreateAsync();
        foreach (var replica in replicas)
        {
            Assert.Equal(
                "part",
                Assert.Single((await replica.Http.GetJsonAsync("/v1/categories")).Items()).Text("name")
            );
            await replica.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        var server = await PostgresServer.GetAsync();
        var connectionString = await server.CreateAsync();
        await PostgresServer.ExecuteAsync(
            connectionString,
            """INSERT INTO "__EFMigrationsHistory" VALUES ('29990101000000_Future', '99.0.0')"""
        );
        using var data = new TempDirectory();
        var (exitCode, _, error) = await ServiceCommand.RefusedAsync(
            data.Path,
            PostgresServer.Options(connectionString)
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("newer version of the service (29990101000000_Future)", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_have_the_same_order_whatever_the_locale_of_the_server()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, await PostgresServer.CreateOptionsAsync());
        foreach (var name in new[] { "b", "a_1", "a-1", "ab", "a1", "a.1" })
            await service.Category(name).CreateAsync();
        var names = new List<string>();
        for (string? query = "?limit=2"; query is not null; )
        {
            var page = await service.Http.GetJsonAsync($"/v1/categories{query}");
            names.AddRange(page.Items().Select(category => category.Text("name")));
            query = page["nextCursor"] is { } cursor ? $"?limit=2&cursor={cursor}" : null;
        }
        Assert.Equal(["a-1", "a.1", "a1", "a_1", "ab", "b"], names);
    }

    [Fact]
    public async Task Times_are_the_same_when_they_are_read_again()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, await PostgresServer.CreateOptionsAsync());
        var created = await (
            await service.Http.PutAsync("/v1/categories/part", new StringContent("{}", null, "application/json"))
        ).JsonAsync(201);
        Assert.Equal(created.ToJsonString(), (await service.Http.GetJsonAsync("/v1/categories/part")).ToJsonString());
    }

    [Fact]
    public async Task A_text_with_a_zero_is_refused()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path, await PostgresServer.CreateOptionsAsync());
        await service.Category("part").CreateAsync();
        foreach (
            var path in new[]
            {
                "/v1/audit?actor=%00",
                $"/v1/categories?cursor={Base64Url.EncodeToString("after:\0"u8)}",
            }
        )
            await (await service.Http.GetAsync(path)).ProblemAsync(400, "invalid_request");
        var relabel = new
        {
            select = new { defect = "\0" },
            set = new { heldOut = true },
            dryRun = true,
        };
        await (await service.Http.PostAsJsonAsync("/v1/categories/part/dataset/update", relabel)).ProblemAsync(
            400,
            "invalid_request"
        );
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("restore")]
    [InlineData("scrub")]
    public async Task Commands_tell_that_the_database_of_the_settings_does_not_answer(string command)
    {
        using var root = new TempDirectory();
        var (data, copy) = (root.Combine("data"), root.Combine("copy"));
        Directory.CreateDirectory(data);
        File.WriteAllBytes(Path.Combine(data, "padim.db"), []);
        var (exitCode, output, error) = await ServiceProcess.RunInAsync(
            new Dictionary<string, string>
            {
                ["Padim__Database__Provider"] = "postgresql",
                ["Padim__Database__ConnectionString"] =
                    $"Host=127.0.0.1;Port={FreePort.Find()};Database=padim;Password=hidden",
            },
            command is "scrub" ? [command, data] : [command, data, copy]
        );
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"{command}: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(copy, "padim.db")));
    }

    [Fact]
    public async Task A_command_creates_and_upgrades_the_database_apart_from_the_service()
    {
        using var data = new TempDirectory();
        var environment = new Dictionary<string, string> { ["Padim__DataDirectory"] = data.Combine("new") };
        var (exitCode, output, error) = await ServiceProcess.RunInAsync(environment, "upgrade");
        Assert.True(exitCode == 0, error);
        Assert.StartsWith("The database is up to date: ", output, StringComparison.Ordinal);
        Assert.True(File.Exists(data.Combine("new", "padim.db")));
    }
}
