using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using PaDiM.Service.Categories;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

public class CategoryPatchTests(SharedService shared)
{
    /// <summary>A value of every setting that is not its default.</summary>
    private static readonly JsonObject Unusual = JsonNode
        .Parse(
            """
            {"backbone":"tiny","profile":"paper","imageSize":128,"aspect":"crop","cropSize":96,"positions":"shared","reduction":{"method":"semi-orthogonal",
            "dimensions":20,"seed":7},"localAverage":true,"epsilon":0.02,"relativeRidge":0.4,"quietExponent":1.5,
            "blurSigma":3,"imageScore":"top","shrinkage":"oas","alignment":"none",
            "tiles":null,"significantBits":12,"region":{"x":0.1,"y":0.2,"width":0.5,"height":0.25},
            "falseRejectRate":0.02,"reviewRate":0.1,"refuseOn":["blurred"],
            "inspections":{"keep":"review","images":"sample:0.5","days":7,"bytes":1000000,"durable":true},"pinned":true}
            """
        )!
        .AsObject();

    [Fact]
    public async Task A_patch_changes_what_it_names_and_nothing_else()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var before = await (await shared.Http.PutAsJsonAsync(url, Unusual)).JsonAsync(201);
        Assert.Empty(Differences(before, await PatchAsync(url, "{}")));
        foreach (
            var (patch, changed) in new[]
            {
                ("""{"imageSize":160}""", "imageSize"),
                ("""{"CropSize":64}""", "cropSize"),
                ("""{"reduction":{"dimensions":30}}""", "reduction"),
                ("""{"reduction":{}}""", ""),
                ("""{"reviewRate":0.2}""", "reviewRate"),
                ("""{"falseRejectRate":0.03}""", "falseRejectRate"),
                ("""{"refuseOn":["too_dark"]}""", "refuseOn"),
                ("""{"inspections":{"days":8}}""", "inspections"),
                ("""{"inspections":{}}""", ""),
                ("""{"pinned":false}""", "pinned"),
                ("""{"profile":"default"}""", "profile"),
                ("""{"epsilon":0.5,"blurSigma":1}""", "epsilon blurSigma"),
                ("""{"relativeRidge":0.3,"quietExponent":1}""", "relativeRidge quietExponent"),
                ("""{"positions":"own"}""", "positions"),
                ("""{"localAverage":false,"imageScore":"max"}""", "localAverage imageScore"),
                ("""{"cropSize":null,"tiles":{"size":64}}""", "cropSize tiles"),
                ("""{"tiles":{"overlap":16}}""", "tiles"),
                ("""{"tiles":null}""", "tiles"),
            }
        )
        {
            var after = await PatchAsync(url, patch);
            Assert.Equal(changed.Split(' ', StringSplitOptions.RemoveEmptyEntries), Differences(before, after));
            Assert.Equal(after.ToJsonString(), (await shared.Http.GetJsonAsync(url)).ToJsonString());
            before = after;
        }
        Assert.Equal(
            ("semi-orthogonal", 30.0, 7.0),
            (
                before["reduction"]!.Text("method"),
                before["reduction"]!.Number("dimensions"),
                before["reduction"]!.Number("seed")
            )
        );
    }

    [Fact]
    public async Task Null_resets_to_the_default_of_the_profile()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        await (await shared.Http.PutAsJsonAsync(url, Unusual)).JsonAsync(201);
        var every = new JsonObject(
            Unusual
                .Where(member => member.Key != "profile")
                .Select(member => KeyValuePair.Create(member.Key, (JsonNode?)null))
        );
        var reset = await PatchAsync(url, every.ToJsonString());
        var fresh = await (
            await shared.Http.PutAsJsonAsync($"/v1/categories/{shared.NewName()}", new { profile = "paper" })
        ).JsonAsync(201);
        Assert.Equal(["name"], Differences(reset, fresh));

        // Without a crop, a patch that does not name one does not crop.
        await PatchAsync(url, """{"profile":"default","cropSize":null}""");
        Assert.Null((await PatchAsync(url, """{"profile":"paper"}"""))["cropSize"]);
        Assert.Equal(224, (await PatchAsync(url, """{"cropSize":null}"""))["cropSize"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_square_and_two_sides_replace_each_other()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var created = await (
            await shared.Http.PutAsJsonAsync(
                url,
                new
                {
                    imageWidth = 96,
                    imageHeight = 64,
                    aspect = "letterbox",
                }
            )
        ).JsonAsync(201);
        Assert.Equal((null, 96, 64), Sizes(created));
        Assert.Equal("letterbox", created.Text("aspect"));
        Assert.Equal((null, 128, 64), Sizes(await PatchAsync(url, """{"imageWidth":128}""")));
        Assert.Equal((80, null, null), Sizes(await PatchAsync(url, """{"imageSize":80}""")));
        Assert.Equal((null, 96, 48), Sizes(await PatchAsync(url, """{"imageWidth":96,"imageHeight":48}""")));
        Assert.Equal((null, 96, 48), Sizes(await PatchAsync(url, """{"blurSigma":2}""")));
        Assert.Equal((256, null, null), Sizes(await PatchAsync(url, """{"imageWidth":null,"imageHeight":null}""")));
        Assert.Equal("letterbox", (await shared.Http.GetJsonAsync(url)).Text("aspect"));

        static (int?, int?, int?) Sizes(JsonNode category) =>
            (
                category["imageSize"]?.GetValue<int>(),
                category["imageWidth"]?.GetValue<int>(),
                category["imageHeight"]?.GetValue<int>()
            );
    }

    [Theory]
    [InlineData("""{"imageWidth":96}""", "belong together")]
    [InlineData("""{"imageHeight":96}""", "belong together")]
    [InlineData("""{"imageWidth":96,"imageHeight":31}""", "imageHeight")]
    [InlineData("""{"imageWidth":2049,"imageHeight":64}""", "imageWidth")]
    [InlineData("""{"imageWidth":96,"imageHeight":64,"imageSize":64}""", "square")]
    [InlineData("""{"imageWidth":96,"imageHeight":64,"cropSize":80}""", "64")]
    public async Task Sizes_that_contradict_each_other_are_refused(string settings, string named)
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var body = new StringContent(settings, Encoding.UTF8, "application/json");
        var problem = await (await shared.Http.PutAsync(url, body)).ProblemAsync(422, "invalid_settings");
        Assert.Contains(named, problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_setting_of_a_request_is_kept_by_a_patch()
    {
        // Where the images come from is decided when a category is created.
        var named = typeof(CategoryRequest)
            .GetProperties()
            .Select(property => property.Name)
            .Where(name => name != nameof(CategoryRequest.ImagesOf))
            // Two sides replace the square.
            .Except([nameof(CategoryRequest.ImageWidth), nameof(CategoryRequest.ImageHeight)]);
        Assert.Equal(
            named.Order(),
            Unusual.Select(member => char.ToUpperInvariant(member.Key[0]) + member.Key[1..]).Order()
        );
    }

    [Fact]
    public async Task Dimensions_of_no_reduction_do_not_outlive_it()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        await (
            await shared.Http.PutAsJsonAsync(url, new { imageSize = 64, reduction = new { method = "none" } })
        ).JsonAsync(201);
        var after = await PatchAsync(url, """{"reduction":{"method":"random"}}""");
        Assert.Equal(100, after["reduction"]!["dimensions"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("""{"imagesize2":64}""", 400, "invalid_request", "imagesize2")]
    [InlineData("""{"imagesize2":null}""", 400, "invalid_request", "imagesize2")]
    [InlineData("""{"reduction":{"dimension":3}}""", 400, "invalid_request", "reduction.dimension")]
    [InlineData("""{"name":"other"}""", 400, "invalid_request", "name")]
    [InlineData("""{"imageSize":"large"}""", 400, "invalid_request", "imageSize")]
    [InlineData("""{"reduction":7}""", 400, "invalid_request", "reduction")]
    [InlineData("""{"imageSize":64,"ImageSize":96}""", 400, "invalid_request", "imageSize")]
    [InlineData("""[{"imageSize":64}]""", 400, "invalid_request", "object")]
    [InlineData("""{"profile":"best"}""", 400, "invalid_request", "profile")]
    [InlineData("""{"imageSize":31}""", 422, "invalid_settings", "imageSize")]
    [InlineData("""{"backbone":"unknown"}""", 422, "backbone_not_found", "unknown")]
    [InlineData("""{"falseRejectRate":0}""", 422, "invalid_settings", "falseRejectRate")]
    [InlineData("""{"reviewRate":0.001}""", 422, "invalid_settings", "reviewRate")]
    public async Task What_a_put_refuses_a_patch_refuses(string patch, int status, string code, string named)
    {
        var category = await shared.NewCategoryAsync();
        var before = await shared.Http.GetJsonAsync(category.Url);
        var problem = await (await SendAsync(category.Url, patch)).ProblemAsync(status, code);
        Assert.Contains(named, problem.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(before.ToJsonString(), (await shared.Http.GetJsonAsync(category.Url)).ToJsonString());
    }

    [Theory]
    [InlineData("PATCH", "", """{"refuseOn":["\ud800"]}""")]
    [InlineData("PATCH", "", """{"\udfff":1}""")]
    [InlineData("POST", "/threshold/preview", """{"\ud800":1}""")]
    public async Task A_text_that_is_no_Unicode_is_refused_and_audited(string method, string route, string body)
    {
        var category = await shared.NewCategoryAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), category.Url + route)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        var problem = await (await shared.Http.SendAsync(request)).ProblemAsync(400, "invalid_request");
        Assert.Contains("Unicode", problem.Text("detail"), StringComparison.Ordinal);
        if (method == "PATCH")
        {
            var name = category.Url.Split('/')[^1];
            var entry = (await shared.Http.GetJsonAsync($"/v1/audit?category={name}")).Items()[0];
            Assert.Equal(400, entry["status"]?.GetValue<int>());
        }
    }

    [Fact]
    public async Task A_patch_creates_nothing_and_is_json()
    {
        await (await SendAsync($"/v1/categories/{shared.NewName()}", """{"pinned":true}""")).ProblemAsync(
            404,
            "category_not_found"
        );
        var category = await shared.NewCategoryAsync();
        await (await SendAsync(category.Url, "{}", "text/plain")).ProblemAsync(415, "unsupported_media_type");
        await (await SendAsync(category.Url, "{}", "application/json")).JsonAsync(200);
    }

    [Fact]
    public async Task Patches_at_the_same_time_all_count()
    {
        var category = await shared.NewCategoryAsync();
        string[] patches =
        [
            """{"imageSize":96}""",
            """{"blurSigma":1}""",
            """{"epsilon":0.5}""",
            """{"reduction":{"dimensions":9}}""",
            """{"reduction":{"seed":9}}""",
            """{"reviewRate":0.3}""",
            """{"falseRejectRate":0.2}""",
            """{"shrinkage":"oas"}""",
        ];
        await Task.WhenAll(patches.Select(patch => PatchAsync(category.Url, patch)));
        var after = await shared.Http.GetJsonAsync(category.Url);
        Assert.Equal(
            (96.0, 1.0, 0.5, 9.0, 9.0, 0.3, 0.2, "oas"),
            (
                after.Number("imageSize"),
                after.Number("blurSigma"),
                after.Number("epsilon"),
                after["reduction"]!.Number("dimensions"),
                after["reduction"]!.Number("seed"),
                after.Number("reviewRate"),
                after.Number("falseRejectRate"),
                after.Text("shrinkage")
            )
        );
    }

    private static IEnumerable<string> Differences(JsonNode before, JsonNode after) =>
        before
            .AsObject()
            .Where(member => !JsonNode.DeepEquals(member.Value, after[member.Key]))
            .Select(member => member.Key)
            .Where(name => name is not ("updatedAt" or "createdAt"));

    private async Task<JsonNode> PatchAsync(string url, string patch) =>
        await (await SendAsync(url, patch)).JsonAsync(200);

    private Task<HttpResponseMessage> SendAsync(
        string url,
        string patch,
        string mediaType = "application/merge-patch+json"
    ) => shared.Http.PatchAsync(url, new StringContent(patch, Encoding.UTF8, mediaType));
}
