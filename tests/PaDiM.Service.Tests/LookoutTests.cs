using System.Net.Http.Headers;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The API of Amazon Lookout for Vision: <c>/2020-11-20</c>.</summary>
public sealed class LookoutTests(SharedService shared)
{
    [Fact]
    public async Task A_defect_is_anomalous_with_its_area_and_a_mask()
    {
        var category = await shared.FittedAsync();
        var expected = await category.ScoreAsync(Parts.Bad(1), "?heatmap=mask");
        var response = await DetectAsync(category, Parts.Bad(1));
        var result = (await response.JsonAsync(200))["DetectAnomalyResult"]!;
        Assert.Equal("direct", result["Source"]!.Text("Type"));
        Assert.True((bool)result["IsAnomalous"]!);
        Assert.Equal(1 - expected.Number("pValue"), result.Number("Confidence"));
        Assert.Equal(["background", "anomaly"], result.Items("Anomalies").Select(found => found.Text("Name")));
        var pixels = result.Items("Anomalies").Select(found => found["PixelAnomaly"]!).ToArray();
        Assert.Equal(["#000000", "#FFFFFF"], pixels.Select(found => found.Text("Color")));
        Assert.Equal(expected.Number("defectAreaPercent") / 100, pixels[1].Number("TotalPercentageArea"), 1e-9);
        Assert.Equal(1, pixels.Sum(found => found.Number("TotalPercentageArea")), 1e-9);
        Assert.Equal(expected.Text("heatmap"), result.Text("AnomalyMask"));
        Assert.True(response.Headers.Contains("X-Inspection-Id"));
        Assert.True(response.Headers.Contains("x-amzn-RequestId"));
    }

    [Fact]
    public async Task A_good_part_has_the_background_alone_and_no_mask()
    {
        var category = await shared.FittedAsync();
        var expected = await category.ScoreAsync(Parts.Good(2));
        var result = (await (await DetectAsync(category, Parts.Good(2))).JsonAsync(200))["DetectAnomalyResult"]!;
        Assert.False((bool)result["IsAnomalous"]!);
        Assert.Equal(expected.Number("pValue"), result.Number("Confidence"));
        Assert.Equal("background", result.Items("Anomalies").Single().Text("Name"));
        Assert.Null(result["AnomalyMask"]);
    }

    [Theory]
    [InlineData("projects/none/models/1", 404, "ResourceNotFoundException", "category_not_found", "project")]
    [InlineData("projects/{0}/models/9", 404, "ResourceNotFoundException", "model_not_found", "model")]
    [InlineData("projects/{0}/models/first", 404, "ResourceNotFoundException", "model_not_found", "model")]
    [InlineData("projects/N%20O/models", 400, "ValidationException", "invalid_name", null)]
    [InlineData("projects/{0}/datasets/train", 404, "UnknownOperationException", "route_not_found", null)]
    [InlineData("projects?maxResults=0", 400, "ValidationException", "invalid_request", null)]
    [InlineData("projects?maxResults=many", 400, "ValidationException", "invalid_request", null)]
    public async Task Errors_have_the_shape_that_SDKs_read(
        string path,
        int status,
        string type,
        string code,
        string? resource
    )
    {
        var category = await shared.FittedAsync();
        var response = await shared.Http.GetAsync(
            $"/2020-11-20/{path.Replace("{0}", category.Name, StringComparison.Ordinal)}"
        );
        Assert.Equal(type, response.Headers.GetValues("x-amzn-ErrorType").Single());
        var error = await response.JsonAsync(status);
        Assert.StartsWith($"{code}: ", error.Text("Message"), StringComparison.Ordinal);
        Assert.Equal(resource, (string?)error["ResourceType"]);
    }

    [Fact]
    public async Task What_is_no_image_is_invalid()
    {
        var category = await shared.FittedAsync();
        var response = await DetectAsync(category, "no image"u8.ToArray());
        Assert.Equal("ValidationException", response.Headers.GetValues("x-amzn-ErrorType").Single());
        Assert.StartsWith(
            "image_unreadable",
            (await response.JsonAsync(422)).Text("Message"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Versions_are_hosted_until_a_client_stops_them_and_score_nevertheless()
    {
        var category = await shared.NewCategoryAsync();
        await category.UploadPartsAsync(0, 3);
        await category.FitAsync();
        var model = $"/2020-11-20/projects/{category.Name}/models/latest";
        Assert.Equal("HOSTED", await StatusAsync());
        var stopped = await (await shared.Http.PostAsync($"{model}/stop", null)).JsonAsync(202);
        Assert.Equal("STOPPING_HOSTING", stopped.Text("Status"));
        Assert.Equal("TRAINED", await StatusAsync());
        await (await DetectAsync(category, Parts.Good(1), "1")).JsonAsync(200);
        var started = await (
            await shared.Http.PostAsync($"{model}/start", new StringContent("""{"MinInferenceUnits":1}"""))
        ).JsonAsync(202);
        Assert.Equal("STARTING_HOSTING", started.Text("Status"));
        Assert.Equal("HOSTED", await StatusAsync());

        async Task<string> StatusAsync() => (await shared.Http.GetJsonAsync(model))["ModelDescription"]!.Text("Status");
    }

    private Task<HttpResponseMessage> DetectAsync(CategoryClient category, byte[] image, string version = "latest")
    {
        var content = new ByteArrayContent(image);
        content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        return shared.Http.PostAsync($"/2020-11-20/projects/{category.Name}/models/{version}/detect", content);
    }
}
