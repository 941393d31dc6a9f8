using System.Net.Http.Json;
using System.Text;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

public class CategoryTests(SharedService shared)
{
    [Fact]
    public async Task Putting_the_same_settings_twice_changes_nothing()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var created = await (await shared.Http.PutAsJsonAsync(url, CategoryClient.SmallSettings)).JsonAsync(201);
        var again = await (await shared.Http.PutAsJsonAsync(url, CategoryClient.SmallSettings)).JsonAsync(200);
        Assert.Equal(created.ToJsonString(), again.ToJsonString());
        Assert.Equal(created.ToJsonString(), (await shared.Http.GetJsonAsync(url)).ToJsonString());

        var changed = await (await shared.Http.PutAsJsonAsync(url, new { imageSize = 96 })).JsonAsync(200);
        Assert.Equal(
            (96, 100),
            (changed["imageSize"]!.GetValue<int>(), changed["reduction"]!["dimensions"]!.GetValue<int>())
        );
        Assert.Equal(created.Text("createdAt"), changed.Text("createdAt"));
    }

    [Fact]
    public async Task Parallel_puts_of_one_name_create_it_once()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 32).Select(_ => shared.Http.PutAsJsonAsync(url, CategoryClient.SmallSettings))
        );
        Assert.Single(answers, answer => (int)answer.StatusCode == 201);
        Assert.All(answers, answer => Assert.True((int)answer.StatusCode is 200 or 201));
    }

    [Fact]
    public async Task Everything_left_out_takes_the_profiles_value()
    {
        var plain = await (await shared.Http.PutAsync($"/v1/categories/{shared.NewName()}", null)).JsonAsync(201);
        Assert.Equal(
            ("tiny", "default", 256),
            (plain.Text("backbone"), plain.Text("profile"), plain["imageSize"]!.GetValue<int>())
        );
        Assert.Null(plain["cropSize"]);
        Assert.Equal(
            ("semi-orthogonal", 100, 1024),
            (
                plain["reduction"]!.Text("method"),
                plain["reduction"]!["dimensions"]!.GetValue<int>(),
                plain["reduction"]!["seed"]!.GetValue<int>()
            )
        );
        Assert.Equal(
            (0.01, 3.0, 0.01),
            (plain.Number("epsilon"), plain.Number("blurSigma"), plain.Number("falseRejectRate"))
        );
        Assert.Equal(
            (0.5, 1.5, "auto"),
            (plain.Number("relativeRidge"), plain.Number("quietExponent"), plain.Text("shrinkage"))
        );
        Assert.Null(plain["reviewRate"]);
        Assert.Equal("own", plain.Text("positions"));
        Assert.Equal((true, "max"), (plain["localAverage"]!.GetValue<bool>(), plain.Text("imageScore")));

        var paper = await (
            await shared.Http.PutAsJsonAsync($"/v1/categories/{shared.NewName()}", new { profile = "paper" })
        ).JsonAsync(201);
        Assert.Equal(("random", 224), (paper["reduction"]!.Text("method"), paper["cropSize"]!.GetValue<int>()));
        Assert.Equal(
            (0.01, 0.0, 0.0, 4.0, "none"),
            (
                paper.Number("epsilon"),
                paper.Number("relativeRidge"),
                paper.Number("quietExponent"),
                paper.Number("blurSigma"),
                paper.Text("shrinkage")
            )
        );
        Assert.Equal((false, "max"), (paper["localAverage"]!.GetValue<bool>(), paper.Text("imageScore")));

        var none = await (
            await shared.Http.PutAsJsonAsync(
                $"/v1/categories/{shared.NewName()}",
                new { reduction = new { method = "none" } }
            )
        ).JsonAsync(201);
        Assert.Equal(448, none["reduction"]!["dimensions"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("""{"imageSize":31}""", "imageSize")]
    [InlineData("""{"imageSize":2049}""", "imageSize")]
    [InlineData("""{"imageSize":64,"cropSize":31}""", "cropSize")]
    [InlineData("""{"imageSize":64,"cropSize":65}""", "cropSize")]
    [InlineData("""{"reduction":{"dimensions":0}}""", "reduction.dimensions")]
    [InlineData("""{"reduction":{"dimensions":-5}}""", "reduction.dimensions")]
    [InlineData("""{"reduction":{"dimensions":449}}""", "448 channels")]
    [InlineData("""{"epsilon":0}""", "epsilon")]
    [InlineData("""{"epsilon":-1}""", "epsilon")]
    [InlineData("""{"epsilon":100.1}""", "epsilon")]
    [InlineData("""{"relativeRidge":-0.1}""", "relativeRidge")]
    [InlineData("""{"relativeRidge":100.1}""", "relativeRidge")]
    [InlineData("""{"quietExponent":-0.1}""", "quietExponent")]
    [InlineData("""{"quietExponent":4.1}""", "quietExponent")]
    [InlineData("""{"blurSigma":-0.1}""", "blurSigma")]
    [InlineData("""{"blurSigma":64.1}""", "blurSigma")]
    [InlineData("""{"falseRejectRate":0}""", "falseRejectRate")]
    [InlineData("""{"falseRejectRate":1}""", "falseRejectRate")]
    [InlineData("""{"falseRejectRate":1e999}""", "falseRejectRate")]
    [InlineData("""{"falseRejectRate":0.1,"reviewRate":0.1}""", "reviewRate")]
    [InlineData("""{"reviewRate":1}""", "reviewRate")]
    [InlineData("""{"positions":"shared","shrinkage":"ledoit-wolf"}""", "ledoit-wolf")]
    public async Task Settings_out_of_bounds_are_refused_by_name(string body, string named)
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var problem = await (await PutAsync(url, body)).ProblemAsync(422, "invalid_settings");
        Assert.Contains(named, problem.Text("detail"), StringComparison.Ordinal);
        await (await shared.Http.GetAsync(url)).ProblemAsync(404, "category_not_found");
    }

    [Theory]
    [InlineData("""{"imageSize":32,"cropSize":32}""")]
    [InlineData("""{"imageSize":2048}""")]
    [InlineData("""{"reduction":{"dimensions":1}}""")]
    [InlineData("""{"imageSize":64,"reduction":{"dimensions":448}}""")]
    [InlineData("""{"epsilon":100,"blurSigma":64}""")]
    [InlineData("""{"relativeRidge":100,"quietExponent":4}""")]
    [InlineData("""{"relativeRidge":0,"quietExponent":0}""")]
    [InlineData("""{"blurSigma":0,"falseRejectRate":0.999,"reviewRate":0.9999}""")]
    public async Task Settings_at_their_bounds_are_taken(string body) =>
        await (await PutAsync($"/v1/categories/{shared.NewName()}", body)).JsonAsync(201);

    [Theory]
    [InlineData("""{"unknown":1}""")]
    [InlineData("""{"reduction":{"dims":1}}""")]
    [InlineData("""{"imageSize":"large"}""")]
    [InlineData("""{"imageSize":64.5}""")]
    [InlineData("""{"imageSize":99999999999}""")]
    [InlineData("""{"profile":"papers"}""")]
    [InlineData("""{"profile":1}""")]
    [InlineData("""{"localAverage":"yes"}""")]
    [InlineData("""{"positions":"all"}""")]
    [InlineData("""{"imageScore":"median"}""")]
    [InlineData("""{"imageScore":1}""")]
    [InlineData("""{"imageSize":64""")]
    [InlineData("""[1]""")]
    [InlineData("""not json""")]
    public async Task Json_that_does_not_fit_is_refused(string body)
    {
        var url = $"/v1/categories/{shared.NewName()}";
        await (await PutAsync(url, body)).ProblemAsync(400, "invalid_request");
        await (await shared.Http.GetAsync(url)).ProblemAsync(404, "category_not_found");
    }

    [Fact]
    public async Task A_body_of_another_type_is_told_what_is_read()
    {
        var url = $"/v1/categories/{shared.NewName()}";
        var problem = await (await PutAsync(url, "{}", "application/x-www-form-urlencoded")).ProblemAsync(
            415,
            "unsupported_media_type"
        );
        Assert.Contains("application/json", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_backbone_is_answered_with_the_known_ones()
    {
        var problem = await (
            await shared.Http.PutAsJsonAsync($"/v1/categories/{shared.NewName()}", new { backbone = "../tiny" })
        ).ProblemAsync(422, "backbone_not_found");
        Assert.Contains("tiny", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData(".hidden")]
    [InlineData("-dash")]
    [InlineData("_under")]
    [InlineData("a%20b")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("..%5c..%5cwindows")]
    [InlineData("C%3A%5C")]
    [InlineData("a%00b")]
    [InlineData("a%0A")]
    [InlineData("%E2%80%AEabc")]
    [InlineData("%F0%9F%98%80")]
    [InlineData("a%2fb")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123x")]
    public async Task Other_names_than_the_rule_allows_are_refused(string name)
    {
        foreach (var method in new[] { HttpMethod.Put, HttpMethod.Get, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, $"/v1/categories/{name}");
            var response = await shared.Http.SendAsync(request);
            // Kestrel refuses a NUL before anything else sees it, and answers by itself.
            if (name.Contains("%00", StringComparison.Ordinal))
                Assert.Equal(400, (int)response.StatusCode);
            else
                await response.ProblemAsync(400, "invalid_name");
        }
        if (!name.Contains("%00", StringComparison.Ordinal))
            await (await shared.Http.GetAsync($"/v1/categories/{name}/images")).ProblemAsync(400, "invalid_name");
    }

    [Theory]
    [InlineData("nul")]
    [InlineData("con.png")]
    [InlineData("0")]
    [InlineData("a..b")]
    [InlineData("threshold")]
    [InlineData("012345678901234567890123456789012345678901234567890123456789.-_x")]
    public async Task Odd_names_within_the_rule_are_names(string name)
    {
        await shared.Service.Category(name).CreateAsync();
        Assert.Equal(204, (int)(await shared.Http.DeleteAsync($"/v1/categories/{name}")).StatusCode);
    }

    [Fact]
    public async Task A_name_of_4_kilobytes_is_refused_without_being_repeated()
    {
        var problem = await (await shared.Http.GetAsync($"/v1/categories/{new string('a', 4096)}")).ProblemAsync(
            400,
            "invalid_name"
        );
        Assert.True(problem.Text("detail").Length < 400);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repeat()
    {
        var category = await shared.NewCategoryAsync();
        var uploaded = await category.UploadPartsAsync(800, 7);
        var seen = new List<string>();
        var cursor = "";
        do
        {
            var page = await shared.Http.GetJsonAsync($"{category.Url}/images?limit=3{cursor}");
            seen.AddRange(page.Items().Select(image => image.Text("id")));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next.GetValue<string>()}" : null;
        } while (cursor is not null);
        Assert.Equal(uploaded, seen);

        for (var k = 0; k < 3; k++)
            await shared.NewCategoryAsync();
        var names = new List<string>();
        for (cursor = ""; cursor is not null; )
        {
            var page = await shared.Http.GetJsonAsync($"/v1/categories?limit=2{cursor}");
            names.AddRange(page.Items().Select(item => item.Text("name")));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next.GetValue<string>()}" : null;
        }
        Assert.Equal(names.Order(StringComparer.Ordinal).Distinct(), names);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=1001")]
    [InlineData("limit=many")]
    [InlineData("cursor=%25%25%25")]
    public async Task Pages_that_cannot_be_are_refused(string query)
    {
        var category = await shared.NewCategoryAsync();
        foreach (var url in new[] { "/v1/categories", "/v1/jobs", $"{category.Url}/images", $"{category.Url}/models" })
            await (await shared.Http.GetAsync($"{url}?{query}")).ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task Deleting_a_category_deletes_all_that_is_in_it()
    {
        var category = await shared.NewCategoryAsync();
        var images = await category.UploadPartsAsync(0, 3);
        var version = await category.FitAsync();
        var job = (await shared.Http.GetJsonAsync($"/v1/jobs?category={category.Name}")).Items().Single().Text("id");
        await category.ScoreAsync(Parts.Good(1));
        await (await category.PatchThresholdAsync(new { threshold = 3 })).JsonAsync(200);

        Assert.Equal(204, (int)(await shared.Http.DeleteAsync(category.Url)).StatusCode);
        await (await shared.Http.DeleteAsync(category.Url)).ProblemAsync(404, "category_not_found");
        foreach (
            var path in new[]
            {
                "",
                "/images",
                $"/images/{images[0]}",
                $"/images/{images[0]}/thumbnail",
                "/models",
                $"/models/{version}",
                $"/models/{version}/export",
                "/threshold",
            }
        )
            await (await shared.Http.GetAsync(category.Url + path)).ProblemAsync(404, "category_not_found");
        await (await shared.Http.GetAsync($"/v1/jobs/{job}")).ProblemAsync(404, "job_not_found");
        await (await category.SendScoreAsync(Parts.Good(1))).ProblemAsync(404, "category_not_found");
        await (await category.SendScoreAsync(Parts.Good(1), $"?model={version}")).ProblemAsync(
            404,
            "category_not_found"
        );
        await (await category.UploadRawAsync(Parts.Good(1), "image/bmp")).ProblemAsync(404, "category_not_found");
        await (await shared.Http.PostAsync($"{category.Url}/fits", null)).ProblemAsync(404, "category_not_found");

        await category.CreateAsync();
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/images")).Items());
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/models")).Items());
        Assert.Empty((await shared.Http.GetJsonAsync($"{category.Url}/threshold")).Items("history"));
        await (await category.SendScoreAsync(Parts.Good(1))).ProblemAsync(409, "model_not_ready");
    }

    [Fact]
    public async Task A_name_that_is_used_again_never_scores_with_the_model_of_before()
    {
        await using var replica = await RunningService.StartAsync(
            shared.Service.Get<Data.DataDirectory>().Root,
            [("JobWorkers", 0), .. shared.Database]
        );
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 3);
        await category.FitAsync();
        var bytes = Parts.Good(50);
        var before = await replica.Category(category.Name).ScoreAsync(bytes);

        await shared.Http.DeleteAsync(category.Url);
        await category.CreateAsync();
        await category.UploadPartsAsync(20, 6);
        await category.FitAsync();
        var after = await category.ScoreAsync(bytes);
        Assert.NotEqual(before.Number("score"), after.Number("score"));
        await Eventually.TrueAsync(
            async () =>
                (await replica.Category(category.Name).ScoreAsync(bytes)).Number("score") == after.Number("score"),
            () => "The replica still scores with the model of the deleted category."
        );
    }

    private Task<HttpResponseMessage> PutAsync(string url, string body, string mediaType = "application/json") =>
        shared.Http.PutAsync(url, new StringContent(body, Encoding.UTF8, mediaType));
}
