using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Data;
using PaDiM.Service.Maintenance;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Model files that are not what they were: seen, told, stood in for, mended.</summary>
public sealed class DamageTests(PreparedData prepared) : IClassFixture<PreparedData>, IDisposable
{
    private readonly TempDirectory _data = new();
    private string[] _files = [];

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task The_version_before_stands_in_for_a_damaged_one_until_its_file_is_restored()
    {
        var (first, second) = await PrepareAsync();
        var good = await File.ReadAllBytesAsync(FileOf(2));
        await File.WriteAllBytesAsync(FileOf(2), Flipped(good, 5000));
        await using var service = await RunningService.StartAsync(_data.Path);
        var category = service.Category("part");

        var scored = await category.ScoreAsync(Parts.Bad(1));
        Assert.Equal(
            (1, true, first),
            (scored["modelVersion"]!.GetValue<int>(), scored["fallback"]!.GetValue<bool>(), scored.Number("score"))
        );
        var drawn = await category.SendScoreAsync(Parts.Bad(1), accept: "image/png");
        Assert.Equal(
            ("1", "true"),
            (
                drawn.Headers.GetValues("X-Padim-Model-Version").Single(),
                drawn.Headers.GetValues("X-Padim-Fallback").Single()
            )
        );
        await (await category.SendScoreAsync(Parts.Bad(1), "?model=2")).ProblemAsync(503, "model_corrupt");
        await (await service.Http.GetAsync($"{category.Url}/models/2/export")).ProblemAsync(503, "model_corrupt");
        Assert.Equal([("corrupt", true), ("ready", false)], await StatesAsync(service));
        var told = Assert.Single((await service.Http.GetJsonAsync("/v1/system")).Items("damagedModels"));
        Assert.Equal(
            ("part", 2, "corrupt", 1),
            (
                told.Text("category"),
                told["version"]!.GetValue<int>(),
                told.Text("state"),
                told["serving"]!.GetValue<int>()
            )
        );

        // One after the other: a reader in between would find the file half written, and look again when it changes.
        await File.WriteAllBytesAsync(FileOf(2), good);
        JsonNode? seen = null;
        await Eventually.TrueAsync(
            async () => !(seen = await category.ScoreAsync(Parts.Bad(1)))["fallback"]!.GetValue<bool>(),
            () => $"{seen}"
        );
        Assert.Equal((2, second), (seen!["modelVersion"]!.GetValue<int>(), seen.Number("score")));
        Assert.Equal([("ready", true), ("ready", false)], await StatesAsync(service));
        Assert.Empty((await service.Http.GetJsonAsync("/v1/system")).Items("damagedModels"));
    }

    [Fact]
    public async Task The_threshold_that_is_shown_says_whose_it_is_and_a_value_is_set_for_no_version_that_does_not_score()
    {
        await using var service = await StartWithoutTheActiveFileAsync();
        var category = service.Category("part");
        var scored = await category.ScoreAsync(Parts.Good(1));
        var shown = await service.Http.GetJsonAsync($"{category.Url}/threshold");
        Assert.Equal(
            (1, true, scored.Number("threshold")),
            (shown["modelVersion"]!.GetValue<int>(), shown["fallback"]!.GetValue<bool>(), shown.Number("threshold"))
        );
        foreach (var change in new object[] { new { threshold = 9.0 }, new { threshold = (double?)null } })
        {
            var problem = await (await category.PatchThresholdAsync(change)).ProblemAsync(409, "model_fallback");
            Assert.Contains("activate version 1 first", problem.Text("detail"), StringComparison.Ordinal);
            await (await service.Http.PostAsJsonAsync($"{category.Url}/threshold/preview", change)).ProblemAsync(
                409,
                "model_fallback"
            );
        }
        var looser = await (await category.PatchThresholdAsync(new { falseRejectRate = 0.5 })).JsonAsync(200);
        Assert.True(
            looser["fallback"]!.GetValue<bool>() && looser.Number("threshold") < shown.Number("threshold"),
            $"{looser}"
        );
        await (await service.Http.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        var set = await (await category.PatchThresholdAsync(new { threshold = 9.0 })).JsonAsync(200);
        Assert.Equal(
            (1, false, 9.0),
            (set["modelVersion"]!.GetValue<int>(), set["fallback"]!.GetValue<bool>(), set.Number("threshold"))
        );
    }

    [Fact]
    public async Task Another_version_that_is_activated_ends_the_fallback()
    {
        await using var service = await StartWithoutTheActiveFileAsync();
        var category = service.Category("part");
        Assert.True((await category.ScoreAsync(Parts.Good(1)))["fallback"]!.GetValue<bool>());
        Assert.Equal([("missing", true), ("ready", false)], await StatesAsync(service));
        await (await service.Http.PostAsync($"{category.Url}/models/1/activate", null)).JsonAsync(200);
        Assert.False((await category.ScoreAsync(Parts.Good(1)))["fallback"]!.GetValue<bool>());
        Assert.Equal(204, (int)(await service.Http.DeleteAsync($"{category.Url}/models/2")).StatusCode);
        Assert.Empty((await service.Http.GetJsonAsync("/v1/system")).Items("damagedModels"));
    }

    [Fact]
    public async Task A_newer_version_does_not_stand_in_for_one_that_was_gone_back_to()
    {
        await PrepareAsync();
        await using (var before = await RunningService.StartAsync(_data.Path))
            await (await before.Http.PostAsync("/v1/categories/part/models/1/activate", null)).JsonAsync(200);
        // The bytes of the other version, whole in themselves.
        File.Copy(FileOf(2), FileOf(1), overwrite: true);
        await using var service = await RunningService.StartAsync(_data.Path);
        await (await service.Category("part").SendScoreAsync(Parts.Good(1))).ProblemAsync(503, "model_corrupt");
    }

    [Fact]
    public async Task A_model_in_memory_scores_on_when_its_file_is_cut_short_and_a_scrub_writes_the_file_again()
    {
        var (_, second) = await PrepareAsync();
        await using var service = await RunningService.StartAsync(_data.Path);
        var category = service.Category("part");
        await category.ScoreAsync(Parts.Bad(1));
        var whole = await File.ReadAllBytesAsync(FileOf(2));
        await File.WriteAllBytesAsync(FileOf(2), whole[..100]);
        Assert.Equal(second, (await category.ScoreAsync(Parts.Bad(1))).Number("score"));

        var report = await service.Get<Scrub>().RunAsync(null, default);
        Assert.True(report.IsClean());
        Assert.Equal([Path.GetRelativePath(_data.Path, FileOf(2))], report.Mended.Files.Select(file => file.Path));
        Assert.Equal(whole, await File.ReadAllBytesAsync(FileOf(2)));
        Assert.Equal([("ready", true), ("ready", false)], await StatesAsync(service));
    }

    [Fact]
    public async Task A_pinned_category_takes_up_the_stand_in_and_goes_back_by_itself()
    {
        await PrepareAsync();
        await using (var before = await RunningService.StartAsync(_data.Path))
            await (
                await before.Http.PutAsync(
                    "/v1/categories/part",
                    new StringContent(
                        """{"imageSize":64,"reduction":{"dimensions":16},"blurSigma":2,"pinned":true}""",
                        null,
                        "application/json"
                    )
                )
            ).JsonAsync(200);
        var aside = _data.Combine("aside");
        File.Move(FileOf(2), aside);
        await using var service = await RunningService.StartAsync(_data.Path);
        await HeldAsync(1);
        File.Move(aside, FileOf(2));
        await HeldAsync(2);

        Task HeldAsync(int version) =>
            Eventually.TrueAsync(
                async () =>
                    (await service.Http.GetJsonAsync("/v1/system"))["modelCache"]!
                        .Items("models")
                        .Any(model =>
                            model["version"]!.GetValue<int>() == version && model["pinned"]!.GetValue<bool>()
                        ),
                () => $"Version {version} is not pinned."
            );
    }

    /// <summary>A service whose active version, the second, has lost its file.</summary>
    private async Task<RunningService> StartWithoutTheActiveFileAsync()
    {
        await PrepareAsync();
        File.Delete(FileOf(2));
        return await RunningService.StartAsync(_data.Path);
    }

    /// <summary>Two versions of other images, the second active, and their scores of one image.</summary>
    private async Task<(double First, double Second)> PrepareAsync()
    {
        var scores = await prepared.CopyAsync("part", _data.Path, FitTwiceAsync);
        _files =
        [
            .. Directory
                .GetFiles(new DataDirectory(_data.Path).Models, "*.safetensors", SearchOption.AllDirectories)
                .Where(path => !path.Contains("statistics", StringComparison.Ordinal))
                .Order(),
        ];
        return scores;
    }

    private static async Task<(double First, double Second)> FitTwiceAsync(string data)
    {
        await using var service = await RunningService.StartAsync(data);
        var category = service.Category("part");
        await category.CreateFittedAsync(4);
        var first = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
        await category.UploadPartsAsync(4, 4);
        await category.FitAsync();
        var second = (await category.ScoreAsync(Parts.Bad(1))).Number("score");
        Assert.NotEqual(first, second);
        return (first, second);
    }

    private string FileOf(int version) => _files[version - 1];

    private static async Task<(string State, bool Active)[]> StatesAsync(RunningService service) =>
        [
            .. (await service.Http.GetJsonAsync("/v1/categories/part/models"))
                .Items()
                .Select(model => (model.Text("state"), model["active"]!.GetValue<bool>())),
        ];

    private static byte[] Flipped(byte[] bytes, int at)
    {
        var copy = bytes.ToArray();
        copy[at] ^= 1;
        return copy;
    }
}
