using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Several categories that inspect the same photographs.</summary>
public sealed class RegionTests(SharedService shared)
{
    [Fact]
    public async Task A_category_fits_and_evaluates_the_images_of_another_and_has_none_itself()
    {
        var part = await CreateSourceAsync();
        await (
            await part.UploadAsync(
                [("bad.bmp", Parts.Bad(50))],
                "?label=anomalous&defect=square",
                [("bad.bmp", Parts.BadMask())]
            )
        ).JsonAsync(200);
        var region = await CreateRegionAsync(part);
        var described = await shared.Http.GetJsonAsync(region.Url);
        Assert.Equal(part.Name, described.Text("imagesOf"));
        Assert.Equal((8, 1), (Count(described, "normal"), Count(described, "anomalous")));
        Assert.Null((await shared.Http.GetJsonAsync(part.Url))["imagesOf"]);

        Assert.Equal(1, await region.FitAsync());
        var model = await shared.Http.GetJsonAsync($"{region.Url}/models/1");
        Assert.Equal(8, Count(model, "imageCount"));
        var images = (await shared.Http.GetJsonAsync($"{part.Url}/images?label=normal")).Items();
        Assert.Equal(
            images.Select(image => image.Text("id")).Order(),
            (await shared.Http.GetJsonAsync($"{region.Url}/models/1/images"))
                .Items()
                .Select(image => image.Text("imageId"))
                .Order()
        );
        var archive = await shared.Http.GetAsync($"{region.Url}/models/1/dataset");
        Assert.Equal("application/zip", archive.Content.Headers.ContentType?.MediaType);

        var started = await shared.Http.PostAsync($"{region.Url}/evaluations", null);
        var job = await shared.Http.FinishedAsync((await started.JsonAsync(202)).Text("id"));
        Assert.True(job.Text("state") == "succeeded", job.ToJsonString());

        // An incremental fit follows the source: one image fewer.
        await shared.Http.DeleteAsync($"{part.Url}/images/{images[0].Text("id")}");
        Assert.Equal(2, await region.FitAsync());
        Assert.Equal(7, Count(await shared.Http.GetJsonAsync($"{region.Url}/models/2"), "imageCount"));
    }

    [Fact]
    public async Task Images_of_a_region_are_changed_where_they_are()
    {
        var part = await CreateSourceAsync();
        var region = await CreateRegionAsync(part);
        foreach (
            var request in new (HttpMethod Method, string Path, HttpContent? Body)[]
            {
                (HttpMethod.Get, "images", null),
                (HttpMethod.Post, "images", CategoryClient.Raw(Parts.Good(1), "image/bmp")),
                (HttpMethod.Get, "images/1", null),
                (HttpMethod.Get, "images/1/thumbnail", null),
                (HttpMethod.Delete, "images/1", null),
                (HttpMethod.Patch, "images/1", JsonContent.Create(new { label = "normal" })),
                (HttpMethod.Get, "dataset", null),
                (HttpMethod.Post, "dataset", CategoryClient.Raw([1], "application/zip")),
                (HttpMethod.Post, "dataset/update", JsonContent.Create(new { })),
                (HttpMethod.Post, "dataset/delete", JsonContent.Create(new { })),
            }
        )
        {
            using var message = new HttpRequestMessage(request.Method, $"{region.Url}/{request.Path}")
            {
                Content = request.Body,
            };
            var problem = await (await shared.Http.SendAsync(message)).ProblemAsync(409, "images_elsewhere");
            Assert.Contains($"/v1/categories/{part.Name}.", problem.Text("detail"), StringComparison.Ordinal);
        }
        Assert.Equal(8, (await shared.Http.GetJsonAsync($"{part.Url}/images")).Items().Length);
    }

    [Fact]
    public async Task Images_come_from_a_category_that_exists_and_has_its_own_and_stay_there()
    {
        var part = await CreateSourceAsync();
        var region = await CreateRegionAsync(part);
        var other = await shared.NewCategoryAsync();
        var name = shared.NewName();
        foreach (var source in new[] { "nowhere", "No such name", "", region.Name, name })
            await (await shared.Http.PutAsJsonAsync($"/v1/categories/{name}", new { imagesOf = source })).ProblemAsync(
                422,
                "invalid_settings"
            );
        await (await shared.Http.GetAsync($"/v1/categories/{name}")).ProblemAsync(404, "category_not_found");

        // Decided when the category is created: its models know the images that they were fitted to.
        await (await shared.Http.PutAsJsonAsync(region.Url, new { imagesOf = other.Name })).ProblemAsync(
            422,
            "invalid_settings"
        );
        await (await shared.Http.PutAsJsonAsync(other.Url, new { imagesOf = part.Name })).ProblemAsync(
            422,
            "invalid_settings"
        );
        await (await shared.Http.PatchAsJsonAsync(other.Url, new { imagesOf = part.Name })).ProblemAsync(
            422,
            "invalid_settings"
        );
        await (await shared.Http.PatchAsJsonAsync(region.Url, new { imagesOf = (string?)null })).ProblemAsync(
            422,
            "invalid_settings"
        );
        await (await shared.Http.PutAsJsonAsync(region.Url, CategoryClient.SmallSettings)).JsonAsync(200);
        await (await shared.Http.PatchAsJsonAsync(region.Url, new { blurSigma = 1 })).JsonAsync(200);
        Assert.Equal(part.Name, (await shared.Http.GetJsonAsync(region.Url)).Text("imagesOf"));

        var refused = await (await shared.Http.DeleteAsync(part.Url)).ProblemAsync(409, "category_in_use");
        Assert.Contains(region.Name, refused.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(204, (int)(await shared.Http.DeleteAsync(region.Url)).StatusCode);
        Assert.Equal(204, (int)(await shared.Http.DeleteAsync(part.Url)).StatusCode);
    }

    [Fact]
    public async Task One_upload_is_scored_by_every_category_of_its_images()
    {
        var part = await CreateSourceAsync();
        var early = await CreateRegionAsync(part);
        // Neither the category nor its region has a model yet.
        await (await part.SendScoreAsync(Parts.Good(1))).ProblemAsync(409, "model_not_ready");
        await early.FitAsync();
        var only = await part.ScoreAsync(Parts.Bad(50));
        Assert.Equal((early.Name, "anomalous"), (only.Text("category"), only.Text("decision")));
        Assert.Equal([early.Name], only.Items("regionsOfInterest").Select(result => result.Text("category")));

        var later = await CreateRegionAsync(part, dimensions: 8);
        await later.FitAsync();
        await part.FitAsync();
        var scored = await part.ScoreAsync(Parts.Bad(50));
        var results = scored.Items("regionsOfInterest");
        Assert.Equal([part.Name, early.Name, later.Name], results.Select(result => result.Text("category")));
        // Each has the score that it has alone.
        foreach (var (category, result) in new[] { early, later }.Zip(results.Skip(1)))
        {
            var alone = await category.ScoreAsync(Parts.Bad(50));
            Assert.Empty(alone.Items("regionsOfInterest"));
            Assert.Equal(alone.Number("score"), result.Number("score"), 1e-4 * alone.Number("score"));
            Assert.Equal(alone.Number("threshold"), result.Number("threshold"));
            Assert.Equal(alone["regions"]!.ToJsonString().Length > 2, result["regions"]!.ToJsonString().Length > 2);
        }
        Assert.Equal(results.Max(result => result.Number("scoreRatio")), scored.Number("scoreRatio"));

        // A version is tried alone.
        Assert.Empty((await part.ScoreAsync(Parts.Bad(50), "?model=1")).Items("regionsOfInterest"));
        var batch = await (
            await shared.Http.PostAsync(
                $"{part.Url}/score/batch",
                CategoryClient.Form(("files", "a.bmp", Parts.Good(1)), ("files", "b.bmp", Parts.Bad(50)))
            )
        ).JsonAsync(200);
        Assert.All(batch.Items("results"), item => Assert.Equal(3, item["result"]!.Items("regionsOfInterest").Length));
        Assert.Equal("anomalous", batch.Items("results")[1]["result"]!.Text("decision"));
    }

    [Fact]
    public async Task The_worst_decision_decides()
    {
        var part = await CreateSourceAsync();
        var lenient = await CreateRegionAsync(part);
        var strict = await CreateRegionAsync(part);
        await lenient.FitAsync();
        await strict.FitAsync();
        await (await lenient.PatchThresholdAsync(new { threshold = 1e6 })).JsonAsync(200);
        await (await strict.PatchThresholdAsync(new { threshold = 1e-3 })).JsonAsync(200);

        var scored = await part.ScoreAsync(Parts.Good(1));
        Assert.Equal((strict.Name, "anomalous"), (scored.Text("category"), scored.Text("decision")));
        Assert.Equal(1e-3, scored.Number("threshold"));
        Assert.NotEmpty(scored.Items("regions"));
        var quiet = scored.Items("regionsOfInterest").Single(result => result.Text("category") == lenient.Name);
        Assert.Equal("normal", quiet.Text("decision"));
        Assert.Empty(quiet.Items("regions"));

        var picture = await part.SendScoreAsync(Parts.Good(1), accept: "image/png");
        Assert.Equal("anomalous", picture.Headers.GetValues("X-Padim-Decision").Single());
        Assert.Equal(strict.Name, picture.Headers.GetValues("X-Padim-Category").Single());
        // Only what is at or above the threshold of its own category is marked.
        var masks = new List<byte[]>();
        foreach (var category in new[] { part, strict, lenient })
            masks.Add(
                await (
                    await category.SendScoreAsync(Parts.Good(1), "?heatmap=mask", accept: "image/png")
                ).Content.ReadAsByteArrayAsync()
            );
        Assert.Equal(masks[1], masks[0]);
        Assert.NotEqual(masks[2], masks[0]);
    }

    [Fact]
    public async Task A_region_that_is_deleted_scores_no_more_and_one_that_refuses_an_image_refuses_the_part()
    {
        var part = await CreateSourceAsync();
        var region = await CreateRegionAsync(part);
        await region.FitAsync();
        await part.FitAsync();
        Assert.Equal(2, (await part.ScoreAsync(Parts.Good(1))).Items("regionsOfInterest").Length);
        await (await shared.Http.PatchAsJsonAsync(region.Url, new { refuseOn = new[] { "size_differs" } })).JsonAsync(
            200
        );
        await (await part.SendScoreAsync(Parts.Plain(64, 64))).ProblemAsync(422, "input_refused");

        Assert.Equal(204, (int)(await shared.Http.DeleteAsync(region.Url)).StatusCode);
        var scored = await part.ScoreAsync(Parts.Good(1));
        Assert.Equal(part.Name, scored.Text("category"));
        Assert.Empty(scored.Items("regionsOfInterest"));
    }

    [Fact]
    public async Task Regions_can_be_deleted_and_created_while_their_source_scores()
    {
        var part = await CreateSourceAsync();
        await part.FitAsync();
        using var stop = new CancellationTokenSource();
        var line = Enumerable
            .Range(0, 3)
            .Select(async _ =>
            {
                var scores = 0;
                for (; !stop.IsCancellationRequested; scores++)
                    Assert.Equal("normal", (await part.ScoreAsync(Parts.Good(1))).Text("decision"));
                return scores;
            })
            .ToArray();
        for (var round = 0; round < 3; round++)
        {
            var region = await CreateRegionAsync(part);
            await region.FitAsync();
            Assert.Equal(204, (int)(await shared.Http.DeleteAsync(region.Url)).StatusCode);
        }
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(line), scores => Assert.InRange(scores, 1, int.MaxValue));
    }

    [Fact]
    public async Task A_key_reads_no_images_of_another_category_through_a_region()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        var part = service.Category("part");
        await part.CreateFittedAsync(4);
        var region = service.Category("part-bore");
        await region.CreateAsync(
            new
            {
                imagesOf = "part",
                imageSize = 64,
                reduction = new { dimensions = 8 },
            }
        );
        await region.FitAsync();

        var boss = service.With((await service.KeyAsync(AccessScope.Admin)).Text);
        var (text, _) = await service.KeyAsync(AccessScope.Admin, categories: ["part-bore", "mine"]);
        using var restricted = service.With(text);
        // It may fit and score the region, which was made for it.
        var own = new CategoryClient(restricted, "part-bore");
        Assert.Equal("normal", (await own.ScoreAsync(Parts.Good(1))).Text("decision"));
        await own.FitAsync();
        await (await restricted.GetAsync("/v1/categories/part/images")).ProblemAsync(403, "category_forbidden");
        await (await restricted.GetAsync($"{own.Url}/images")).ProblemAsync(409, "images_elsewhere");
        await (await restricted.GetAsync($"{own.Url}/dataset")).ProblemAsync(409, "images_elsewhere");
        await (await restricted.GetAsync($"{own.Url}/models/1/images")).ProblemAsync(403, "category_forbidden");
        await (await restricted.GetAsync($"{own.Url}/models/1/dataset")).ProblemAsync(403, "category_forbidden");
        await (await restricted.PutAsJsonAsync("/v1/categories/mine", new { imagesOf = "part" })).ProblemAsync(
            403,
            "category_forbidden"
        );
        await (await boss.GetAsync($"{own.Url}/models/1/images")).JsonAsync(200);
        boss.Dispose();
    }

    private async Task<CategoryClient> CreateSourceAsync()
    {
        var part = await shared.NewCategoryAsync();
        await part.UploadPartsAsync(0, 8);
        return part;
    }

    private async Task<CategoryClient> CreateRegionAsync(CategoryClient source, int dimensions = 16)
    {
        var region = shared.Service.Category(shared.NewName());
        await region.CreateAsync(
            new
            {
                imagesOf = source.Name,
                imageSize = 64,
                reduction = new { dimensions },
                blurSigma = 2,
            }
        );
        return region;
    }

    private static int Count(JsonNode node, string name) =>
        (name is "normal" or "anomalous" ? node["images"]! : node)[name]!.GetValue<int>();
}
