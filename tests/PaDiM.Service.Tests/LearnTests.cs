using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Good inspections become training images of a candidate.</summary>
public class LearnTests(SharedService shared)
{
    private HttpClient Http => shared.Http;

    [Fact]
    public async Task Good_inspections_become_training_images_of_a_candidate()
    {
        var category = await FittedAsync();
        var good = await InspectAsync(category, Parts.Good(20), "good");
        var defective = await InspectAsync(category, Parts.Bad(21), "defective");
        var open = await InspectAsync(category, Parts.Good(22), null);
        var copy = await InspectAsync(category, Parts.Good(0), "good");
        var learnt = await LearnAsync(
            category,
            new { ids = new[] { good, good, defective, open, copy, "nobody" } },
            202
        );
        Assert.Equal([good], learnt.Items("added").Select(image => image.Text("inspectionId")));
        Assert.Equal([copy], learnt.Items("duplicates").Select(image => image.Text("inspectionId")));
        Assert.Equal(
            [(defective, "verdict_not_good"), (open, "verdict_not_good"), ("nobody", "inspection_not_found")],
            learnt.Items("refused").Select(image => (image.Text("inspectionId"), image.Text("code")))
        );
        Assert.Null(learnt["notFitted"]);
        await SucceedAsync(learnt);

        // The candidate is fitted to the photograph, and does not score.
        Assert.Equal(1, (await Http.GetJsonAsync(category.Url)).Number("activeModelVersion"));
        Assert.Equal(7, (await Http.GetJsonAsync($"{category.Url}/models/2")).Number("imageCount"));
        var image = (await Http.GetJsonAsync($"{category.Url}/images?limit=50")).Items()[^1];
        Assert.Equal(
            (learnt.Items("added")[0].Text("imageId"), $"inspection-{good}.bmp", "normal"),
            (image.Text("id"), image.Text("fileName"), image.Text("label"))
        );
        Assert.Equal(Parts.Good(20), await Http.GetByteArrayAsync($"{category.Url}/images/{image.Text("id")}"));
        // Fitted from scratch, it is the same model.
        await category.FitAsync(new { activate = false, incremental = false });
        Assert.Equal(
            (await category.ScoreAsync(Parts.Good(30), "?model=2")).Number("score"),
            (await category.ScoreAsync(Parts.Good(30), "?model=3")).Number("score"),
            1e-6
        );

        // What a version knows already needs no fit.
        var again = await LearnAsync(category, new { ids = new[] { good } }, 200);
        Assert.Equal([good], again.Items("duplicates").Select(one => one.Text("inspectionId")));
        Assert.Null(again["job"]);
        var audited = (await Http.GetJsonAsync($"/v1/audit?category={category.Name}&limit=50")).Items();
        Assert.Equal(2, audited.Count(entry => entry.Text("action") == "learn"));
    }

    [Fact]
    public async Task A_query_finds_what_is_not_learnt_yet()
    {
        var category = await FittedAsync();
        for (var k = 0; k < 4; k++)
            await InspectAsync(
                category,
                Parts.Good(40 + k),
                k == 3 ? "unsure" : "good",
                ("X-Lot-Id", k == 0 ? "a" : "b")
            );
        var pixels = new byte[3 * Parts.Side * Parts.Side];
        new Random(1).NextBytes(pixels);
        var raw = await InspectAsync(category, pixels, "good", ("X-Lot-Id", "c"));
        var learnt = await LearnAsync(category, new { query = new { lot = "b" }, fit = false }, 200);
        Assert.Equal((2, 0), (learnt.Items("added").Length, learnt.Items("duplicates").Length));
        Assert.Null(learnt["job"]);
        learnt = await LearnAsync(category, new { query = new { }, fit = false }, 200);
        Assert.Equal((2, 0), (learnt.Items("added").Length, learnt.Items("duplicates").Length));
        Assert.Contains(raw, learnt.Items("added").Select(image => image.Text("inspectionId")));
        Assert.False(learnt["more"]!.GetValue<bool>());
        learnt = await LearnAsync(category, new { query = new { } }, 200);
        Assert.Equal((0, 0), (learnt.Items("added").Length, learnt.Items("duplicates").Length));
        Assert.Null(learnt["job"]);
    }

    [Fact]
    public async Task What_cannot_be_learnt_is_refused_with_a_reason()
    {
        var category = await FittedAsync();
        foreach (
            var wrong in new object[]
            {
                new { },
                new { ids = Array.Empty<string>() },
                new { ids = new string?[] { null } },
                new { ids = Enumerable.Range(0, 501).Select(k => $"{k}") },
                new { ids = new[] { "a" }, query = new { } },
                new { query = new { from = "2026-01-02T00:00:00Z", to = "2026-01-01T00:00:00Z" } },
                new { query = new { colour = "red" } },
            }
        )
            await (await SendAsync(category, wrong)).ProblemAsync(400, "invalid_request");
        var defective = await InspectAsync(category, Parts.Bad(1), "defective");
        var problem = await (await SendAsync(category, new { ids = new[] { defective, "nobody" } })).ProblemAsync(
            409,
            "verdict_not_good"
        );
        Assert.Equal(2, problem.Items("errors").Length);
        await (await Http.PatchAsJsonAsync(category.Url, new { inspections = new { images = "none" } })).JsonAsync(200);
        var withoutImage = await InspectAsync(category, Parts.Good(50), "good");
        await (await SendAsync(category, new { ids = new[] { withoutImage } })).ProblemAsync(
            404,
            "inspection_image_not_kept"
        );
        var unfitted = await shared.NewCategoryAsync();
        await (await SendAsync(unfitted, new { ids = new[] { "a" } })).ProblemAsync(409, "model_not_ready");
        await (await Http.PostAsJsonAsync("/v1/categories/nobody/learn", new { query = new { } })).ProblemAsync(
            404,
            "category_not_found"
        );
    }

    [Fact]
    public async Task A_region_learns_photographs_of_its_source()
    {
        var source = await shared.NewCategoryAsync();
        await source.UploadPartsAsync(0, 6);
        var region = shared.Service.Category(shared.NewName());
        await region.CreateAsync(
            new
            {
                imagesOf = source.Name,
                imageSize = 64,
                reduction = new { dimensions = 8 },
                blurSigma = 2,
            }
        );
        await region.FitAsync();
        await (await Http.PatchAsJsonAsync(region.Url, new { inspections = new { images = "all" } })).JsonAsync(200);
        await (await Http.PatchAsJsonAsync(source.Url, new { inspections = new { images = "all" } })).JsonAsync(200);
        var id = await InspectAsync(source, Parts.Good(60), "good");
        await (await SendAsync(source, new { ids = new[] { id } })).ProblemAsync(409, "model_not_ready");
        await SucceedAsync(await LearnAsync(region, new { ids = new[] { id } }, 202));
        Assert.Equal(7, (await Http.GetJsonAsync($"{region.Url}/models/2")).Number("imageCount"));
    }

    private async Task<CategoryClient> FittedAsync()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 6);
        await category.FitAsync();
        await (await Http.PatchAsJsonAsync(category.Url, new { inspections = new { images = "all" } })).JsonAsync(200);
        return category;
    }

    private async Task<string> InspectAsync(
        CategoryClient category,
        byte[] image,
        string? verdict,
        params (string, string)[] headers
    )
    {
        var query =
            image.Length == 3 * Parts.Side * Parts.Side ? $"?width={Parts.Side}&height={Parts.Side}&format=rgb24" : "";
        var id = (await shared.Service.InspectAsync(category, image, query, headers)).Text("inspectionId");
        if (verdict is not null)
            await (await Http.PutAsJsonAsync($"/v1/inspections/{id}/verdict", new { verdict })).JsonAsync(200);
        return id;
    }

    private Task<HttpResponseMessage> SendAsync(CategoryClient category, object body) =>
        Http.PostAsJsonAsync($"{category.Url}/learn", body);

    private async Task<JsonNode> LearnAsync(CategoryClient category, object body, int status) =>
        await (await SendAsync(category, body)).JsonAsync(status);

    private async Task SucceedAsync(JsonNode learnt)
    {
        var job = await Http.FinishedAsync(learnt["job"]!.Text("id"));
        Assert.True(job.Text("state") == "succeeded", job.ToJsonString());
    }
}
