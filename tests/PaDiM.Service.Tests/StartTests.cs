using Microsoft.Data.Sqlite;
using PaDiM.Engine.Machine;
using PaDiM.Service.Data;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>A service that cannot work does not start: one line says why.</summary>
public sealed class StartTests
{
    [Theory]
    [InlineData("Threads", "-1", "Threads")]
    [InlineData("JobLeaseSeconds", "2", "JobLeaseSeconds")]
    [InlineData("Device", "gpu", "Device")]
    [InlineData("Device", "cuda", "cuda")]
    [InlineData("DefaultBackbone", "resnet-of-dreams", "resnet-of-dreams")]
    public async Task An_option_that_cannot_be_is_named(string option, string value, string named)
    {
        using var data = new TempDirectory();
        Expect(await ServiceCommand.RefusedAsync(data.Path, (option, value)), named);
    }

    [Fact]
    public async Task Without_telemetry_it_starts_and_serves_all_but_metrics()
    {
        using var data = new TempDirectory();
        await using var service = await ServiceProcess.StartInAsync(
            data.Path,
            new Dictionary<string, string>
            {
                ["OTEL_SDK_DISABLED"] = "true",
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1",
            }
        );
        Assert.Equal(200, (int)(await service.Http.GetAsync("/health/ready")).StatusCode);
        await new CategoryClient(service.Http, "part").CreateFittedAsync(2);
        await new CategoryClient(service.Http, "part").ScoreAsync(Parts.Good(1));
        await (await service.Http.GetAsync("/metrics")).ProblemAsync(404, "route_not_found");
        Assert.Equal(200, (int)(await service.Http.GetAsync("/swagger/v1/swagger.json")).StatusCode);
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        using var data = new TempDirectory();
        await (await RunningService.StartAsync(data.Path)).DisposeAsync();
        await using (var db = new SqliteConnection($"Data Source={data.Combine("padim.db")}"))
        {
            await db.OpenAsync();
            await using var command = db.CreateCommand();
            command.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('29990101000000_Future', '99.0.0')";
            await command.ExecuteNonQueryAsync();
        }
        Expect(await ServiceProcess.RefusedAsync(data.Path), "29990101000000_Future");
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_left_alone()
    {
        using var data = new TempDirectory();
        await File.WriteAllTextAsync(data.Combine("padim.db"), new string('x', 8192));
        Expect(await ServiceProcess.RefusedAsync(data.Path), "database");
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_is_named()
    {
        using var data = new TempDirectory();
        await File.WriteAllTextAsync(data.Combine("file"), "");
        Expect(await ServiceProcess.RefusedAsync(data.Combine("file", "below")), data.Combine("file"));
    }

    [Fact]
    public void A_folder_that_denies_access_is_explained_with_its_owner_and_the_remedy()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Owners are read on Linux only.");
        using var folder = new TempDirectory();
        var process = FileOwner.ReadProcess()!.Value;
        var user = $"{process.User}:{process.Group}";
        var text = DataDirectory.ExplainDenied(folder.Path);
        Assert.Contains($"{folder.Path} belongs to {process.User}:", text, StringComparison.Ordinal);
        Assert.Contains($"'chown -R {user} {folder.Path}'", text, StringComparison.Ordinal);
        var missing = folder.Combine("data");
        text = DataDirectory.ExplainDenied(missing);
        Assert.Contains($"{folder.Path} belongs to", text, StringComparison.Ordinal);
        Assert.Contains($"'mkdir -p {missing} && chown {user} {missing}'", text, StringComparison.Ordinal);
    }

    private static void Expect((int ExitCode, string Output, string Error) ended, string named)
    {
        Assert.True(ended.ExitCode == 1, $"{ended}");
        var line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("PaDiM.Service cannot start: ", line, StringComparison.Ordinal);
        Assert.Contains(named, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Output, StringComparison.Ordinal);
    }
}
