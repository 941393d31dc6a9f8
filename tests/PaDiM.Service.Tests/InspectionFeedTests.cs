using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Service.Scoring;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>What observers of inspections get, and what becomes of their failures.</summary>
public sealed class InspectionFeedTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private readonly ConcurrentQueue<ScoredInspection> _seen = new();
    private RunningService _service = null!;

    private Inspection Last => _seen.Last().Inspection;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartWithAsync(
            services =>
                services
                    .AddSingleton(new InspectionObserver(_ => throw new InvalidOperationException("A faulty observer")))
                    .AddSingleton(
                        new InspectionObserver(scored =>
                        {
                            _seen.Enqueue(scored);
                            return ValueTask.CompletedTask;
                        })
                    ),
            _data.Path,
            ("ReplicaName", "line-a")
        );
        await _service.Category("part").CreateFittedAsync(4);
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task Every_image_of_the_line_is_one_inspection()
    {
        var category = _service.Category("part");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{category.Url}/score?contours=true")
        {
            Content = CategoryClient.Raw(Parts.Bad(5), "image/bmp"),
            Headers =
            {
                { "X-Part-Id", "SN-1" },
                { "X-Station-Id", "station 3" },
                { "X-Lot-Id", "lot 1" },
                { "X-Inspection-Id", "my-1" },
            },
        };
        var response = await _service.Http.SendAsync(request);
        var answer = await response.JsonAsync(200);
        Assert.Equal(["my-1"], response.Headers.GetValues("X-Inspection-Id"));
        Assert.Equal("my-1", answer.Text("inspectionId"));
        var seen = Last;
        Assert.Equal(
            ("my-1", "part", "part", "SN-1", "station 3", "line-a"),
            (seen.Id, seen.Category, seen.DecidedBy, seen.Part, seen.Station, seen.Replica)
        );
        Assert.Equal("lot 1", seen.Lot);
        Assert.Equal(
            (answer.Number("score"), answer.Number("threshold"), answer.Number("pValue")),
            (seen.Score, seen.Threshold, seen.PValue)
        );
        Assert.Equal(answer.Items("regions").Length, seen.Regions.Count);
        Assert.NotEmpty(seen.Regions);
        Assert.Equal(answer["image"]!.Text("sha256"), seen.Image.Sha256);
        Assert.Equal((1, 0), (seen.ModelVersion, seen.ThresholdVersion));
        Assert.Equal(Parts.Bad(5), _seen.Last().File.Bytes);

        await (await category.PatchThresholdAsync(new { threshold = 1e9 })).JsonAsync(200);
        var form = CategoryClient.Form(("files", "a.bmp", Parts.Bad(6)));
        foreach (
            var (field, text) in new[]
            {
                ("partId", "SN-2"),
                ("stationId", "station 4"),
                ("lotId", "lot 2"),
                ("inspectionId", "my-2"),
            }
        )
            form.Add(new StringContent(text), field);
        answer = await (await _service.Http.PostAsync($"{category.Url}/score", form)).JsonAsync(200);
        Assert.Empty(answer.Items("warnings"));
        Assert.Equal(
            ("my-2", "SN-2", "station 4", "lot 2", 1, Data.Decision.Normal),
            (Last.Id, Last.Part, Last.Station, Last.Lot, Last.ThresholdVersion, Last.Decision)
        );

        answer = await category.ScoreAsync(Parts.Good(1));
        Assert.Matches("^[0-9a-f]{32}$", answer.Text("inspectionId"));
        Assert.Equal(answer.Text("inspectionId"), Last.Id);
        Assert.Equal(3, _seen.Count);
    }

    [Fact]
    public async Task Files_of_a_batch_have_identifiers_of_their_own()
    {
        var url = $"{_service.Category("part").Url}/score/batch";
        var form = CategoryClient.Form(("files", "a.bmp", Parts.Good(1)), ("files", "broken.bmp", [1, 2, 3]));
        form.Add(new StringContent("between"), "stationId");
        form.Add(new ByteArrayContent(Parts.Good(2)), "files", "b.bmp");
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = form,
            Headers = { { "X-Inspection-Id", "batch" }, { "X-Lot-Id", "L1" } },
        };
        var answer = await (await _service.Http.SendAsync(request)).JsonAsync(200);
        Assert.Equal(
            ["batch-1", "", "batch-3"],
            answer.Items("results").Select(item => item["result"]?.Text("inspectionId") ?? "")
        );
        Assert.Equal(
            [("batch-1", "a.bmp", null, "L1"), ("batch-3", "b.bmp", "between", "L1")],
            _seen
                .Select(scored => scored.Inspection)
                .OrderBy(seen => seen.Id, StringComparer.Ordinal)
                .Select(seen => (seen.Id, seen.Part, seen.Station, seen.Lot))
        );
    }

    [Fact]
    public async Task Regions_of_a_photograph_are_one_inspection_with_the_result_that_decides()
    {
        var region = new
        {
            imagesOf = "part",
            imageSize = 64,
            reduction = new { dimensions = 16 },
            region = new
            {
                x = 0.25,
                y = 0.25,
                width = 0.5,
                height = 0.5,
            },
        };
        var centre = _service.Category("centre");
        await centre.CreateAsync(region);
        await centre.FitAsync();
        await (await centre.PatchThresholdAsync(new { threshold = 0.001 })).JsonAsync(200);
        await _service.Category("part").ScoreAsync(Parts.Good(3));
        Assert.Single(_seen);
        Assert.Equal(("part", "centre", 1), (Last.Category, Last.DecidedBy, Last.ThresholdVersion));
        Assert.NotEmpty(Last.Regions);
    }

    [Fact]
    public async Task A_trial_of_another_version_is_no_inspection()
    {
        var category = _service.Category("part");
        await category.UploadPartsAsync(4, 1);
        Assert.Equal(2, await category.FitAsync());
        var response = await category.SendScoreAsync(Parts.Good(1), "?model=1");
        Assert.False(response.Headers.Contains("X-Inspection-Id"));
        Assert.Null((await response.JsonAsync(200))["inspectionId"]);
        Assert.Empty(_seen);
        await category.ScoreAsync(Parts.Good(1), "?model=2");
        Assert.Single(_seen);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("../x")]
    [InlineData("..")]
    [InlineData("Summary")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public async Task An_identifier_is_never_corrected(string id)
    {
        foreach (var path in new[] { "score", "score/batch" })
        {
            var url = $"{_service.Category("part").Url}/{path}";
            using var request = new HttpRequestMessage(HttpMethod.Post, url)
            {
                Content = CategoryClient.Form(("files", "a.bmp", Parts.Good(1))),
                Headers = { { "X-Inspection-Id", id } },
            };
            await (await _service.Http.SendAsync(request)).ProblemAsync(400, "invalid_request");
            var form = CategoryClient.Form();
            form.Add(new StringContent(id), "inspectionId");
            form.Add(new ByteArrayContent(Parts.Good(1)), "files", "a.bmp");
            await (await _service.Http.PostAsync(url, form)).ProblemAsync(400, "invalid_request");
        }
        Assert.Empty(_seen);
    }
}
