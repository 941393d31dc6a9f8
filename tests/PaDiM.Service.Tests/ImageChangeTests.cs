using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

public class ImageChangeTests(SharedService shared)
{
    [Fact]
    public async Task An_image_is_relabelled_in_place()
    {
        var category = await shared.NewCategoryAsync();
        var id = (await category.UploadPartsAsync(0, 1))[0];
        var bad = await PatchAsync(category, id, """{"label":"anomalous","defect":"dent"}""");
        Assert.Equal((id, "anomalous", "dent"), (bad.Text("id"), bad.Text("label"), bad.Text("defect")));
        Assert.Equal("scratch", (await PatchAsync(category, id, """{"defect":"scratch"}""")).Text("defect"));
        Assert.Null((await PatchAsync(category, id, """{"defect":null}"""))["defect"]);
        await PatchAsync(category, id, """{"defect":"dent"}""");
        var good = await PatchAsync(category, id, """{"label":"normal","heldOut":true}""");
        Assert.Equal(
            ("normal", null, true),
            (good.Text("label"), (string?)good["defect"], good["heldOut"]!.GetValue<bool>())
        );
        // What becomes anomalous is not held out any more: fits leave it out anyway.
        Assert.False((await PatchAsync(category, id, """{"label":"anomalous"}"""))["heldOut"]!.GetValue<bool>());
        Assert.Equal(good.Text("sha256"), (await List(category)).Single().Text("sha256"));
    }

    [Theory]
    [InlineData("{}", 400, "invalid_request")]
    [InlineData("""{"fileName":"x"}""", 400, "invalid_request")]
    [InlineData("""{"label":"good"}""", 400, "invalid_request")]
    [InlineData("""{"defect":"dent"}""", 400, "invalid_request")]
    [InlineData("""{"label":"normal","defect":"dent"}""", 400, "invalid_request")]
    [InlineData("""{"label":"anomalous","heldOut":true}""", 400, "invalid_request")]
    public async Task What_an_upload_refuses_a_change_refuses(string patch, int status, string code)
    {
        var category = await shared.NewCategoryAsync();
        var id = (await category.UploadPartsAsync(0, 1))[0];
        var before = (await List(category)).Single().ToJsonString();
        await (await SendPatchAsync(category, id, patch)).ProblemAsync(status, code);
        Assert.Equal(before, (await List(category)).Single().ToJsonString());
        await (await SendPatchAsync(category, "0123456789ab", """{"label":"normal"}""")).ProblemAsync(
            404,
            "image_not_found"
        );
    }

    [Fact]
    public async Task A_mask_is_not_lost_by_accident()
    {
        var category = await shared.NewCategoryAsync();
        await (
            await category.UploadAsync(
                [("a.bmp", Parts.Bad(1)), ("b.bmp", Parts.Bad(2))],
                "?label=anomalous&defect=square",
                [("a.bmp", Parts.BadMask())]
            )
        ).JsonAsync(200);
        var relabel = """{"select":{"label":"anomalous"},"set":{"label":"normal"}}""";
        await (await SendAsync(category, "update", relabel)).ProblemAsync(422, "mask_mismatch");
        Assert.All(await List(category), image => Assert.Equal("anomalous", image.Text("label")));

        var dropped = await ChangeAsync(
            category,
            "update",
            """{"select":{"label":"anomalous"},"set":{"label":"normal"},"dropMasks":true}"""
        );
        Assert.Equal((2, 1), Counts(dropped));
        Assert.All(
            await List(category),
            image =>
                Assert.Equal(
                    ("normal", null, false),
                    (image.Text("label"), (string?)image["defect"], image["hasMask"]!.GetValue<bool>())
                )
        );
    }

    [Fact]
    public async Task One_of_many_that_does_not_fit_stops_all()
    {
        var category = await shared.NewCategoryAsync();
        var good = await category.UploadPartsAsync(0, 2);
        await (await category.UploadRawAsync(Parts.Bad(1), "image/bmp", "?label=anomalous")).JsonAsync(200);
        await (await SendAsync(category, "update", """{"select":{"all":true},"set":{"defect":"dent"}}""")).ProblemAsync(
            400,
            "invalid_request"
        );
        await (await SendAsync(category, "update", """{"select":{"all":true},"set":{"heldOut":true}}""")).ProblemAsync(
            400,
            "invalid_request"
        );
        await (
            await shared.Http.PostAsJsonAsync(
                $"{category.Url}/dataset/delete",
                new { select = new { ids = new[] { good[0], "0123456789ab" } } }
            )
        ).ProblemAsync(404, "image_not_found");
        var images = await List(category);
        Assert.Equal(3, images.Length);
        Assert.DoesNotContain(images, image => image["defect"] is not null || image["heldOut"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Images_are_deleted_by_list_and_by_conditions()
    {
        var category = await shared.NewCategoryAsync();
        var ids = await category.UploadPartsAsync(0, 4);
        var other = await shared.NewCategoryAsync();
        await other.UploadPartsAsync(0, 4);
        foreach (var (seed, defect) in new[] { (1, "dent"), (2, "dent"), (3, "scratch") })
            await (
                await category.UploadRawAsync(Parts.Bad(seed), "image/bmp", $"?label=anomalous&defect={defect}")
            ).JsonAsync(200);

        Assert.Equal(
            (1, 0),
            Counts(await ChangeAsync(category, "delete", $$$"""{"select":{"ids":["{{{ids[0]}}}"]}}"""))
        );
        const string dents = """ "select":{"label":"anomalous","defect":"dent","hasMask":false} """;
        await (await SendAsync(category, "delete", $$"""{{{dents}}}""")).ProblemAsync(400, "invalid_request");
        var counted = await ChangeAsync(category, "delete", $$"""{{{dents}},"dryRun":true}""");
        Assert.Equal((2, 0), Counts(counted));
        Assert.True(counted["dryRun"]!.GetValue<bool>());
        Assert.Equal(6, (await List(category)).Length);
        await (await SendAsync(category, "delete", $$"""{{{dents}},"expected":3}""")).ProblemAsync(
            409,
            "selection_changed"
        );
        Assert.Equal((2, 0), Counts(await ChangeAsync(category, "delete", $$"""{{{dents}},"expected":2}""")));
        Assert.Equal(4, (await List(category)).Length);
        Assert.Equal(4, (await List(other)).Length);
        var left = await shared.Http.GetJsonAsync(category.Url);
        Assert.Equal((3, 1), ((int)left["images"]!.Number("normal"), (int)left["images"]!.Number("anomalous")));
    }

    [Fact]
    public async Task Images_are_selected_by_the_time_of_their_upload()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 3);
        var times = (await List(category)).Select(image => image.Text("createdAt")).ToArray();
        Assert.Equal((3, 0), await CountAsync($$"""{"uploadedAfter":"{{times[0]}}"}"""));
        Assert.Equal((0, 0), await CountAsync($$"""{"uploadedBefore":"{{times[0]}}"}"""));
        var middle = times.Count(time => string.CompareOrdinal(time, times[1]) < 0);
        Assert.Equal((middle, 0), await CountAsync($$"""{"uploadedBefore":"{{times[1]}}"}"""));
        Assert.Equal(
            (3, 0),
            await CountAsync(
                """{"uploadedAfter":"2001-01-01T00:00:00+02:00","uploadedBefore":"2999-01-01T00:00:00Z"}"""
            )
        );

        async Task<(int, int)> CountAsync(string select) =>
            Counts(await ChangeAsync(category, "delete", $$"""{"select":{{select}},"dryRun":true}"""));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"select":null}""")]
    [InlineData("""{"select":{}}""")]
    [InlineData("""{"select":{"label":null,"ids":null}}""")]
    [InlineData("""{"select":{"all":false}}""")]
    [InlineData("""{"select":{"ids":[]}}""")]
    [InlineData("""{"select":{"ids":[null]}}""")]
    [InlineData("""{"select":{"all":true,"label":"normal"}}""")]
    [InlineData("""{"select":{"ids":["a"],"label":"normal"}}""")]
    [InlineData("""{"select":{"all":true}}""")]
    [InlineData("""{"select":{"labels":"normal"},"expected":0}""")]
    [InlineData("""{"select":{"label":"good"},"expected":0}""")]
    [InlineData("""{"select":{"uploadedBefore":"yesterday"},"expected":0}""")]
    public async Task Nothing_is_deleted_by_accident(string body)
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 1);
        await (await SendAsync(category, "delete", body)).ProblemAsync(400, "invalid_request");
        Assert.Single(await List(category));
    }

    [Fact]
    public async Task Fits_leave_out_what_is_held_out_and_evaluations_score_it()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 4);
        await (await category.UploadRawAsync(Parts.Good(9), "image/bmp", "?heldOut=true")).JsonAsync(200);
        await (await category.UploadRawAsync(Parts.Bad(1), "image/bmp", "?label=anomalous")).JsonAsync(200);
        await (await category.UploadRawAsync(Parts.Bad(2), "image/bmp", "?label=anomalous&heldOut=true")).ProblemAsync(
            400,
            "invalid_request"
        );
        var counts = (await shared.Http.GetJsonAsync(category.Url))["images"]!;
        Assert.Equal(
            (5, 1, 1),
            ((int)counts.Number("normal"), (int)counts.Number("anomalous"), (int)counts.Number("heldOut"))
        );

        var version = await category.FitAsync();
        Assert.Equal(4, (int)(await shared.Http.GetJsonAsync($"{category.Url}/models/{version}")).Number("imageCount"));
        var job = (await (await shared.Http.PostAsync($"{category.Url}/evaluations", null)).JsonAsync(202)).Text("id");
        Assert.Equal("succeeded", (await shared.Http.FinishedAsync(job)).Text("state"));
        var images = (await shared.Http.GetJsonAsync($"/v1/evaluations/{job}"))["images"]!;
        Assert.Equal(
            (1, 4, 1),
            ((int)images.Number("unseen"), (int)images.Number("leaveOneOut"), (int)images.Number("anomalous"))
        );

        // An incremental fit takes it in when it is no longer held out.
        await ChangeAsync(category, "update", """{"select":{"heldOut":true},"set":{"heldOut":false},"expected":1}""");
        version = await category.FitAsync();
        Assert.Equal(5, (int)(await shared.Http.GetJsonAsync($"{category.Url}/models/{version}")).Number("imageCount"));
    }

    private static (int Images, int Masks) Counts(JsonNode answer) =>
        (answer["images"]!.GetValue<int>(), answer["masksRemoved"]!.GetValue<int>());

    private static async Task<JsonNode[]> List(CategoryClient category) =>
        (await category.Http.GetJsonAsync($"{category.Url}/images")).Items();

    private static Task<HttpResponseMessage> SendAsync(CategoryClient category, string operation, string body) =>
        category.Http.PostAsync(
            $"{category.Url}/dataset/{operation}",
            new StringContent(body, System.Text.Encoding.UTF8, "application/json")
        );

    private static async Task<JsonNode> ChangeAsync(CategoryClient category, string operation, string body) =>
        await (await SendAsync(category, operation, body)).JsonAsync(200);

    private static Task<HttpResponseMessage> SendPatchAsync(CategoryClient category, string id, string patch) =>
        category.Http.PatchAsync(
            $"{category.Url}/images/{id}",
            new StringContent(patch, System.Text.Encoding.UTF8, "application/merge-patch+json")
        );

    private static async Task<JsonNode> PatchAsync(CategoryClient category, string id, string patch) =>
        await (await SendPatchAsync(category, id, patch)).JsonAsync(200);
}
