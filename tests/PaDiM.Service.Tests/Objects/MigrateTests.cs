using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Objects;
using PaDiM.Service.TestSupport;
using PaDiM.Service.TestSupport.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Objects;

/// <summary>From a data directory to PostgreSQL and a bucket and back, and backups of both.</summary>
public sealed class MigrateTests : IAsyncLifetime
{
    private readonly TempDirectory _root = new();
    private FakeS3 _server = null!;
    private (string Option, object Value)[] _settings = [];

    private string Folder => _root.Combine("folder");

    private string Work => _root.Combine("work");

    public async ValueTask InitializeAsync()
    {
        _server = await FakeS3.StartAsync();
        _settings = [.. await PostgresServer.CreateOptionsAsync(), .. _server.GetOptions()];
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _root.Dispose();
    }

    [Fact]
    public async Task Everything_moves_to_the_servers_and_back_and_scores_the_same()
    {
        double score;
        string key;
        await using (var service = await RunningService.StartAsync(Folder))
        {
            var category = service.Category("part");
            await category.CreateFittedAsync(4);
            await category.UploadAsync([("x.bmp", Parts.Bad(1))], "?label=anomalous");
            await category.PatchThresholdAsync(new { falseRejectRate = 0.2 });
            score = await ScoreAsync(service);
            await service.SettleAsync();
            key = (
                await (await service.Http.PostAsJsonAsync("/v1/keys", new { name = "a", scope = "admin" })).JsonAsync(
                    201
                )
            ).Text("key");
        }

        // The store goes away in the middle. What arrived is kept.
        var puts = 0;
        _server.Faults = request =>
            request.StartsWith("PUT test/images", StringComparison.Ordinal) && ++puts > 3
                ? new S3Fault { Status = 503 }
                : null;
        await MigrateAsync(
            async (place, time) =>
            {
                var copy = new DataCopy(NewFolder(Folder, time), place, time);
                var failure = await Assert.ThrowsAnyAsync<Exception>(() => copy.MigrateAsync(default));
                Assert.True(ObjectStoreAwayException.IsCauseOf(failure));
            }
        );
        _server.Faults = _ => null;
        await MigrateAsync(
            async (place, time) =>
            {
                var report = await new DataCopy(NewFolder(Folder, time), place, time).MigrateAsync(default);
                Assert.Empty(report.Lost);
                Assert.InRange(report.Kept, 1, 7);
                Assert.Equal(8, report.Kept + report.Copied);
                var again = new DataCopy(NewFolder(Folder, time), place, time);
                var refused = await Assert.ThrowsAsync<IOException>(() => again.MigrateAsync(default));
                Assert.Contains("not empty", refused.Message, StringComparison.Ordinal);
            }
        );

        await using (var service = await RunningService.StartAsync(Work, _settings))
        {
            service.Http.DefaultRequestHeaders.Authorization = new("Bearer", key);
            await AssertInspectedAsync(service, score);
            Assert.Equal(score, await ScoreAsync(service));
            Assert.True((await service.Get<Scrub>().RunAsync(null, default)).IsClean());
            // New rows have new numbers.
            await service.Category("part").PatchThresholdAsync(new { falseRejectRate = 0.1 });
            await service.Category("part").FitAsync();
        }

        var back = _root.Combine("back");
        await MigrateAsync(
            async (place, time) =>
            {
                var report = await new DataCopy(place, NewFolder(back, time), time).MigrateAsync(default);
                Assert.Empty(report.Lost);
            }
        );
        await using (var service = await RunningService.StartAsync(back))
        {
            service.Http.DefaultRequestHeaders.Authorization = new("Bearer", key);
            await AssertInspectedAsync(service, score);
            Assert.Equal(score, await ScoreAsync(service));
            Assert.Equal(2, (await service.Http.GetJsonAsync("/v1/categories/part/models")).Items().Length);
            Assert.True((await service.Get<Scrub>().RunAsync(null, default)).IsClean());
        }
    }

    [Fact]
    public async Task A_backup_of_the_servers_is_restored_to_others()
    {
        double score;
        await using (var service = await RunningService.StartAsync(Work, _settings))
        {
            await service.Category("part").CreateFittedAsync(3);
            score = await ScoreAsync(service);
            await service.SettleAsync();
            await MigrateAsync(
                async (place, time) =>
                {
                    var report = await new DataCopy(place, NewFolder(Folder, time), time).BackUpAsync(default);
                    Assert.Equal((6, 0), (report.Copied, report.Kept));
                    report = await new DataCopy(place, NewFolder(Folder, time), time).BackUpAsync(default);
                    Assert.Equal((0, 6), (report.Copied, report.Kept));
                }
            );
        }
        _server.Damage(_server.GetKeys("test/images/")[0], bytes => bytes[1..]);
        await MigrateAsync(
            async (place, time) =>
            {
                var report = await new DataCopy(place, NewFolder(_root.Combine("other"), time), time).BackUpAsync(
                    default
                );
                Assert.Equal(LossFault.Damaged, report.Lost.Single().Fault);
            }
        );

        _settings = [.. await PostgresServer.CreateOptionsAsync(), .. _server.GetOptions("restored")];
        await MigrateAsync(
            async (place, time) =>
            {
                var report = await new DataCopy(NewFolder(Folder, time), place, time).RestoreAsync(default);
                Assert.Equal((6, 0), (report.Copied, report.Kept));
            }
        );
        await using var restored = await RunningService.StartAsync(_root.Combine("next"), _settings);
        await AssertInspectedAsync(restored, score);
        Assert.Equal(score, await ScoreAsync(restored));
        Assert.True((await restored.Get<Scrub>().RunAsync(null, default)).IsClean());
    }

    [Fact]
    public async Task The_commands_read_what_the_settings_of_the_service_name()
    {
        await using (var service = await RunningService.StartAsync(Folder, ("JobWorkers", 0)))
        {
            var category = service.Category("part");
            await category.CreateAsync();
            await category.UploadPartsAsync(0, 2);
        }
        var (exitCode, _, error) = await RunAsync([], "migrate", Folder);
        Assert.True(exitCode == 1 && error.Contains("neither", StringComparison.Ordinal), error);

        (exitCode, var output, error) = await RunAsync(_settings, "migrate", Folder);
        Assert.True(exitCode == 0, error);
        Assert.Equal(2, JsonNode.Parse(output)!["copied"]!.GetValue<int>());
        (exitCode, output, error) = await RunAsync(_settings, "scrub", Work);
        Assert.True(exitCode == 0, output + error);
        (exitCode, _, error) = await RunAsync(_settings, "backup", Work, _root.Combine("backup"));
        Assert.True(exitCode == 0, error);

        await _server.DisposeAsync();
        (exitCode, _, error) = await RunAsync(_settings, "scrub", Work);
        Assert.True(exitCode == 1 && error.Contains("object store", StringComparison.Ordinal), error);
        _server = await FakeS3.StartAsync();
    }

    [Fact]
    public void Every_kind_of_row_is_copied()
    {
        using var db = DataPlace.Open(_root.Combine("model.db"));
        Assert.Equal(
            db.Model.GetEntityTypes().Where(type => !type.IsOwned()).Select(type => type.ClrType.Name).Order(),
            RowCopy.Types.Select(type => type.Name).Order()
        );
    }

    /// <summary>Copies as a command does, with what the settings name.</summary>
    private async Task MigrateAsync(Func<DataPlace, TimeProvider, Task> copy)
    {
        await using var app = CommandLine.CommandHost.Create(
            Work,
            _ => { },
            [.. _settings.Select(setting => (setting.Option, $"{setting.Value}"))]
        );
        await copy(DataCommands.GetPlace(app), TimeProvider.System);
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(
        (string Option, object Value)[] settings,
        params string[] arguments
    ) =>
        ServiceProcess.RunInAsync(
            settings
                .Append(("DataDirectory", Work))
                .ToDictionary(
                    setting => $"Padim__{setting.Item1.Replace(":", "__", StringComparison.Ordinal)}",
                    setting => $"{setting.Item2}"
                ),
            arguments
        );

    /// <summary>The first inspection came along, with its photograph.</summary>
    private static async Task AssertInspectedAsync(RunningService service, double score)
    {
        var inspections = await service.Http.GetJsonAsync("/v1/inspections?category=part&order=oldest&limit=1");
        var first = inspections.Items().Single();
        Assert.Equal(score, first["score"]!.GetValue<double>());
        Assert.Equal(Parts.Bad(1), await service.Http.GetByteArrayAsync($"/v1/inspections/{first.Text("id")}/image"));
    }

    private static DataPlace NewFolder(string path, TimeProvider time) => new(new DataDirectory(path), time);

    private static async Task<double> ScoreAsync(RunningService service) =>
        (await service.Category("part").ScoreAsync(Parts.Bad(1), "?model=1"))["score"]!.GetValue<double>();
}
