using System.Text.Json.Nodes;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Models;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using RgbImage = PaDiM.Imaging.RgbImage;

namespace PaDiM.Service.Tests;

/// <summary>
/// The service where it scores on a device, with the CPU for one: the same answers as from the kernels, and no memory
/// left behind.
/// </summary>
public sealed class DeviceTests
{
    [Fact]
    public async Task Scores_maps_and_regions_are_those_of_the_kernels()
    {
        using var data = new TempDirectory();
        byte[][] images =
        [
            Parts.Good(50),
            Parts.Bad(51),
            Parts.Notched(52, defective: true),
            Parts.Notched(53, defective: false),
        ];
        string[] names = ["plain", "masked", "aligned"];
        var onDevice = new Dictionary<string, List<(JsonNode Score, float[] Map)>>();
        await using (var service = await RunningService.StartOnDeviceAsync(data.Path))
        {
            await service.Category("plain").CreateAsync();
            await service.Category("plain").UploadPartsAsync(0, 20);
            await service.Category("masked").CreateAsync();
            await service.Category("masked").UploadPartsAsync(0, 5);
            Assert.True(
                (
                    await service.Http.PutAsync(
                        "/v1/categories/masked/ignore-mask",
                        CategoryClient.Raw(Parts.Square(0, 0, 50), "image/bmp")
                    )
                ).IsSuccessStatusCode
            );
            await service
                .Category("aligned")
                .CreateAsync(
                    new
                    {
                        imageSize = 64,
                        reduction = new { dimensions = 16 },
                        blurSigma = 2,
                        alignment = "rigid",
                    }
                );
            await service
                .Category("aligned")
                .UploadAsync(
                    Enumerable.Range(0, 12).Select(seed => ($"{seed}.png", Parts.Notched(seed, defective: false)))
                );
            foreach (var name in names)
            {
                Assert.Equal(1, await service.Category(name).FitAsync());
                onDevice[name] = await ScoreAllAsync(service, name, images);
            }
            Assert.All(service.Get<ModelCache>().ToResponse().Models, model => Assert.True(model.Bytes > 1 << 18));
            Assert.All(
                onDevice.Values.SelectMany(scores => scores),
                scored => Assert.Equal(0, scored.Score["timingsMs"]!.Number("distance"))
            );

            // All files of a batch, some of them together; results in their order.
            var form = CategoryClient.Form([
                .. Enumerable.Range(0, 24).Select(i => ("files", $"{i}.bmp", images[i % images.Length])),
            ]);
            var batch = (
                await (await service.Http.PostAsync("/v1/categories/plain/score/batch", form)).JsonAsync(200)
            ).Items("results");
            for (var i = 0; i < batch.Length; i++)
                AssertNear(
                    onDevice["plain"][i % images.Length].Score.Number("score"),
                    batch[i]["result"]!.Number("score")
                );
        }
        await using var kernels = await RunningService.StartAsync(data.Path);
        foreach (var name in names)
        foreach (var (expected, actual) in (await ScoreAllAsync(kernels, name, images)).Zip(onDevice[name]))
        {
            AssertNear(expected.Score.Number("score"), actual.Score.Number("score"));
            foreach (var member in new[] { "decision", "pValue", "threshold" })
                Assert.Equal(expected.Score[member]!.ToJsonString(), actual.Score[member]!.ToJsonString());
            Assert.Equal(expected.Map.Length, actual.Map.Length);
            for (var i = 0; i < expected.Map.Length; i++)
                AssertNear(expected.Map[i], actual.Map[i]);
        }
    }

    [Fact]
    public async Task An_evaluation_measures_the_same()
    {
        using var data = new TempDirectory();
        var figures = new List<double>();
        foreach (var onDevice in new[] { true, false })
        {
            await using var service = onDevice
                ? await RunningService.StartOnDeviceAsync(data.Path)
                : await RunningService.StartAsync(data.Path);
            if (onDevice)
            {
                await FitAsync(service, "part");
                await service
                    .Category("part")
                    .UploadAsync(
                        Enumerable.Range(60, 3).Select(seed => ($"{seed}.bmp", Parts.Bad(seed))),
                        "?label=anomalous",
                        Enumerable.Range(60, 3).Select(seed => ($"{seed}.bmp", Parts.BadMask()))
                    );
            }
            var job = (
                await (await service.Http.PostAsync("/v1/categories/part/evaluations", null)).JsonAsync(202)
            ).Text("id");
            Assert.Equal("succeeded", (await service.Http.FinishedAsync(job)).Text("state"));
            figures.Add((await service.Http.GetJsonAsync($"/v1/evaluations/{job}")).Number("pixelAuroc"));
        }
        Assert.Equal(figures[1], figures[0], 1e-3);
    }

    [Fact]
    public async Task A_model_that_makes_room_leaves_the_device_and_who_still_holds_it_ends_with_it()
    {
        using var data = new TempDirectory();
        long bytes;
        await using (var ample = await RunningService.StartOnDeviceAsync(data.Path))
        {
            foreach (var name in new[] { "a", "b" })
                await FitAsync(ample, name, imageSize: 128);
            bytes = ample.Get<ModelCache>().ToResponse().Models.Max(model => model.Bytes);
            Assert.True(bytes > 1 << 20, $"{bytes} bytes");
        }
        ModelScorer last;
        await using (
            var service = await RunningService.StartOnDeviceAsync(data.Path, ("ModelCacheBytes", bytes * 3 / 2))
        )
        {
            var held = await AcquireAsync(service, "a");
            Assert.Equal(held.Cached.Bytes, held.Scorer.Model.Bytes + held.Scorer.DeviceBytes);
            var image = new RgbImage(4, 4, [.. Enumerable.Range(0, 48).Select(i => (byte)(5 * i))]);
            var compute = Engine.ComputeContext.OnThreadPool(1);
            var before = held.Scorer.Score(image, compute).Max();
            await service.Category("b").ScoreAsync(Parts.Good(1));
            Assert.Equal(0, held.Scorer.DeviceBytes);
            AssertNear(before, held.Scorer.Score(image, compute).Max());
            Assert.Equal("b", Assert.Single(service.Get<ModelCache>().ToResponse().Models).Category);

            // Models drive each other out while both are asked for.
            var expected = new Dictionary<string, double>();
            foreach (var name in new[] { "a", "b" })
                expected[name] = (await service.Category(name).ScoreAsync(Parts.Bad(2))).Number("score");
            await Task.WhenAll(
                Enumerable
                    .Range(0, 48)
                    .Select(async i =>
                    {
                        var name = i % 3 == 0 ? "a" : "b";
                        AssertNear(
                            expected[name],
                            (await service.Category(name).ScoreAsync(Parts.Bad(2))).Number("score")
                        );
                    })
            );

            last = (await AcquireAsync(service, "a")).Scorer;
            Assert.True(last.DeviceBytes > 0);
            await service.Http.DeleteAsync("/v1/categories/a");
            Assert.Equal(0, last.DeviceBytes);
            last = (await AcquireAsync(service, "b")).Scorer;
            Assert.True(last.DeviceBytes > 0);
        }
        Assert.Equal(0, last.DeviceBytes);
    }

    [Fact]
    public async Task A_pin_counts_what_the_model_takes_on_the_device()
    {
        using var data = new TempDirectory();
        long file;
        await using (var service = await RunningService.StartOnDeviceAsync(data.Path))
        {
            await FitAsync(service, "part", imageSize: 192, dimensions: 32);
            file = (await service.Http.GetJsonAsync("/v1/categories/part/models/1"))[
                "statisticsBytes"
            ]!.GetValue<long>();
        }
        var pinned = new
        {
            imageSize = 192,
            reduction = new { dimensions = 32 },
            blurSigma = 2,
            pinned = true,
        };
        await using (var service = await RunningService.StartOnDeviceAsync(data.Path, ("ModelCacheBytes", file * 2)))
            await (
                await service.Http.PutAsync("/v1/categories/part", System.Net.Http.Json.JsonContent.Create(pinned))
            ).ProblemAsync(409, "cache_budget_exceeded");
        await using (var service = await RunningService.StartAsync(data.Path, ("ModelCacheBytes", file * 2)))
            await (
                await service.Http.PutAsync("/v1/categories/part", System.Net.Http.Json.JsonContent.Create(pinned))
            ).JsonAsync(200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_fails_is_told_so_and_the_service_goes_on(bool onDevice)
    {
        using var data = new TempDirectory();
        using var backbones = new TempDirectory();
        await File.WriteAllBytesAsync(backbones.Combine("fragile.onnx"), Fragile().ToArray());
        (string, object) option = ("BackboneDirectories:0", backbones.Path);
        await using var service = onDevice
            ? await RunningService.StartOnDeviceAsync(data.Path, option)
            : await RunningService.StartAsync(data.Path, option);
        var category = service.Category("part");
        await category.CreateAsync(
            new
            {
                backbone = "fragile",
                imageSize = 64,
                reduction = new { dimensions = 12 },
                blurSigma = 2,
            }
        );
        await category.UploadAsync(
            Enumerable.Range(0, 4).Select(i => ($"{i}.bmp", Parts.Plain(64, 64, (byte)(100 + 10 * i))))
        );
        await category.FitAsync();
        var grey = Parts.Plain(64, 64);
        var white = Parts.Plain(64, 64, 255);
        var expected = (await category.ScoreAsync(grey)).Number("score");
        var failed = await category.SendScoreAsync(white);
        Assert.NotNull(failed.Headers.RetryAfter);
        await failed.ProblemAsync(503, "device_failed");

        var form = CategoryClient.Form([
            .. Enumerable.Range(0, 9).Select(i => ("files", $"{i}.bmp", i == 4 ? white : grey)),
        ]);
        var results = (await (await service.Http.PostAsync($"{category.Url}/score/batch", form)).JsonAsync(200)).Items(
            "results"
        );
        for (var i = 0; i < results.Length; i++)
            if (i == 4)
                Assert.Equal("device_failed", results[i]["error"]!.Text("code"));
            else
                AssertNear(expected, results[i]["result"]!.Number("score"));
        AssertNear(expected, (await category.ScoreAsync(grey)).Number("score"));
    }

    /// <summary>A network that looks behind the end of a list when a pixel of the image is white.</summary>
    private static OnnxGraph Fragile() =>
        new OnnxGraph()
            .Input("pixels", -1, 3, -1, -1)
            .Node("ReduceMax", ["pixels"], ["brightest"], OnnxGraph.Int("keepdims", 0))
            .Weight("share", [], [0.39f])
            .Node("Mul", ["brightest", "share"], ["scaled"])
            .Node("Cast", ["scaled"], ["index"], OnnxGraph.Int("to", OnnxGraph.Int64))
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

    private static async Task FitAsync(RunningService service, string name, int imageSize = 64, int dimensions = 16)
    {
        var category = service.Category(name);
        await category.CreateAsync(
            new
            {
                imageSize,
                reduction = new { dimensions },
                blurSigma = 2,
            }
        );
        await category.UploadPartsAsync(name[0], 6);
        await category.FitAsync();
    }

    private static async Task<CategoryModel> AcquireAsync(RunningService service, string category)
    {
        Assert.True(
            (
                await service.Get<ModelRegistry>().AcquireAsync(category, null, TestContext.Current.CancellationToken)
            ).Succeeded(out var model, out _)
        );
        return model;
    }

    private static async Task<List<(JsonNode Score, float[] Map)>> ScoreAllAsync(
        RunningService service,
        string name,
        byte[][] images
    )
    {
        var scored = new List<(JsonNode, float[])>();
        foreach (var image in images)
        {
            var map = await (
                await service.Category(name).SendScoreAsync(image, accept: "application/x-npy")
            ).Content.ReadAsByteArrayAsync();
            var header = 10 + BitConverter.ToUInt16(map, 8);
            scored.Add(
                (
                    await service.Category(name).ScoreAsync(image),
                    System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(map.AsSpan(header)).ToArray()
                )
            );
        }
        return scored;
    }

    private static void AssertNear(double expected, double actual) =>
        Assert.Equal(expected, actual, 1e-3 * expected + 1e-6);
}
