using System.Text.Json.Nodes;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.TestSupport;
using PaDiM.Service.TestSupport.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Readiness follows what a replica of each role can still do.</summary>
public sealed class ReadinessTests : IDisposable
{
    private readonly TempDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Without_the_store_a_replica_scores_with_what_it_holds()
    {
        await using var store = await FakeS3.StartAsync();
        var time = new ManualTime();
        await using var service = await RunningService.StartByAsync(time, _data.Path, store.GetOptions());
        Assert.Equal("ok", (await GetAsync(service, 200)).Text("status"));
        await service.Category("part").CreateAsync();
        store.Faults = _ => new S3Fault { Status = 503 };
        // The answer of a moment ago still counts: a look would be a request.
        store.Requests.Clear();
        Assert.Equal("ok", (await GetAsync(service, 200))["checks"]!.Text("store"));
        Assert.Empty(store.Requests);

        await LoseAsync();
        var bare = await GetAsync(service, 503);
        Assert.Equal("unavailable: The object store does not respond.", bare["checks"]!.Text("store"));
        Assert.Equal("ok", bare["checks"]!.Text("database"));

        store.Faults = _ => null;
        await service.Category("part").UploadPartsAsync(0, 2);
        await service.Category("part").FitAsync();
        Assert.Equal("ok", (await GetAsync(service, 200)).Text("status"));
        store.Faults = _ => new S3Fault { Status = 503 };
        await LoseAsync();
        var ready = await GetAsync(service, 200);
        Assert.Equal("degraded", ready.Text("status"));
        Assert.StartsWith("degraded: ", ready["checks"]!.Text("store"), StringComparison.Ordinal);
        await GetAsync(service, 200, "score");
        await service.Category("part").ScoreAsync(Parts.Good(1));

        // An upload has noticed.
        async Task LoseAsync()
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await (await service.Category("part").UploadRawAsync(Parts.Good(99), "image/bmp")).ProblemAsync(
                503,
                "storage_unavailable"
            );
        }
    }

    [Fact]
    public async Task Without_the_store_a_replica_that_only_fits_is_not_ready()
    {
        await using var store = await FakeS3.StartAsync();
        await using var service = await RunningService.StartAsync(_data.Path, [("Role", "fit"), .. store.GetOptions()]);
        await service.Category("part").CreateFittedAsync(2);
        await store.DisposeAsync();
        await (await service.Category("part").UploadRawAsync(Parts.Good(99), "image/bmp")).ProblemAsync(
            503,
            "storage_unavailable"
        );
        await GetAsync(service, 503);
    }

    /// <summary>One poisoned image is no broken device: the check tries the device itself.</summary>
    [Fact]
    public async Task A_run_that_failed_makes_the_check_try_the_device()
    {
        await using var service = await RunningService.StartAsync(_data.Path);
        var watch = service.Get<DeviceWatch>();
        watch.RecordFailure(new InvalidOperationException("poisoned"));
        Assert.True(watch.IsSuspect);
        Assert.Equal("ok", (await GetAsync(service, 200))["checks"]!.Text("device"));
        Assert.False(watch.IsSuspect);
    }

    [Fact]
    public async Task A_device_that_fails_by_itself_is_not_ready()
    {
        using var backbones = new TempDirectory();
        await File.WriteAllBytesAsync(backbones.Combine("broken.onnx"), Broken().ToArray());
        await using var service = await RunningService.StartAsync(
            _data.Path,
            ("BackboneDirectories:0", backbones.Path),
            ("DefaultBackbone", "broken")
        );
        Assert.Equal("ok", (await GetAsync(service, 200))["checks"]!.Text("device"));
        service.Get<DeviceWatch>().RecordFailure(new InvalidOperationException("lost"));
        for (var k = 0; k < 2; k++)
            Assert.StartsWith(
                "unavailable: The device fails",
                (await GetAsync(service, 503))["checks"]!.Text("device"),
                StringComparison.Ordinal
            );
        await GetAsync(service, 503, "score");
    }

    /// <summary>It would fail the whole queue. Another replica, or this one when it works again, runs the job.</summary>
    [Fact]
    public async Task A_replica_that_can_finish_no_job_claims_none()
    {
        var time = new ManualTime();
        string job;
        await using (var scores = await RunningService.StartByAsync(time, _data.Path, ("Role", "score")))
        {
            await scores.Category("part").CreateAsync();
            await scores.Category("part").UploadPartsAsync(0, 2);
            job = await scores.Category("part").StartFitAsync();
        }
        await using (
            var full = await RunningService.StartByAsync(
                time,
                _data.Path,
                ("Role", "fit"),
                ("MinFreeBytes", long.MaxValue)
            )
        )
        {
            for (var k = 0; k < 20; k++)
            {
                time.Advance(TimeSpan.FromSeconds(5));
                Assert.Equal("queued", (await full.Http.GetJsonAsync($"/v1/jobs/{job}")).Text("state"));
            }
        }
        await using var free = await RunningService.StartByAsync(time, _data.Path, ("Role", "fit"));
        Assert.Equal("succeeded", (await free.Http.FinishedAsync(job)).Text("state"));
    }

    [Theory]
    [InlineData("both", 200, "ok: the disk is nearly full")]
    [InlineData("fit", 503, "unavailable: The disk is nearly full")]
    public async Task A_full_disk_stops_fits_and_no_scores(string role, int status, string check)
    {
        await using var service = await RunningService.StartAsync(
            _data.Path,
            ("Role", role),
            ("MinFreeBytes", long.MaxValue)
        );
        var ready = await GetAsync(service, status);
        Assert.Equal(status == 200 ? "ok" : "unavailable", ready.Text("status"));
        Assert.StartsWith(check, ready["checks"]!.Text("disk"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_database_a_replica_that_only_fits_is_not_ready()
    {
        var server = await PostgresServer.GetAsync();
        using var connection = new Forwarder(server.Port);
        await using var service = await RunningService.StartAsync(
            _data.Path,
            [("Role", "fit"), .. PostgresServer.Options(connection.Lead(await server.CreateAsync()))]
        );
        await service.Category("part").CreateFittedAsync(2);
        connection.Cut();
        Assert.Equal(
            "unavailable: The database does not respond.",
            (await GetAsync(service, 503))["checks"]!.Text("database")
        );
    }

    private static async Task<JsonNode> GetAsync(RunningService service, int status, string name = "ready") =>
        await (await service.Http.GetAsync($"/health/{name}")).JsonAsync(status);

    /// <summary>A network that runs on the two images with which it is opened, and on no single one.</summary>
    private static OnnxGraph Broken() =>
        new OnnxGraph()
            .Input("pixels", -1, 3, -1, -1)
            .Weight("zero", [], [0])
            .Weight("unit", [], [1])
            .Weight("share", [], [-1 / (3f * 256 * 256)])
            .Weight("two", [], [2])
            .Node("Mul", ["pixels", "zero"], ["none"])
            .Node("Add", ["none", "unit"], ["units"])
            .Node("ReduceSum", ["units"], ["sum"], OnnxGraph.Int("keepdims", 0))
            .Node("Mul", ["sum", "share"], ["negative"])
            .Node("Add", ["negative", "two"], ["missing"])
            .Node("Cast", ["missing"], ["index"], OnnxGraph.Int("to", OnnxGraph.Int64))
            .Weight("list", [1], [1])
            .Node("Gather", ["list", "index"], ["one"])
            .Node("Mul", ["pixels", "one"], ["image"])
            .Conv("image", "c1", 3, 6, 3, 2)
            .Relu("c1", "r1")
            .Conv("r1", "c2", 6, 8, 3, 2)
            .Relu("c2", "r2")
            .Conv("r2", "c3", 8, 10, 3, 2)
            .Relu("c3", "r3")
            .Conv("r3", "c4", 10, 12, 3, 2)
            .Relu("c4", "r4")
            .Node("GlobalAveragePool", ["r4"], ["pooled"])
            .Output("pooled");
}
