using System.Net.Http.Headers;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

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

    /// <summary>Everything that a line calls, as AWS's own SDK for Python sends it, but for the address.</summary>
    [Fact]
    public async Task Code_for_boto3_works_with_another_address()
    {
        Assert.SkipUnless(await Boto3.IsPresentAsync(), Boto3.Missing);
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        await service.Category("flange").CreateFittedAsync(4);
        var (key, id) = await service.KeyAsync(AccessScope.Score);
        var bad = data.Combine("bad.bmp");
        await File.WriteAllBytesAsync(bad, Parts.Bad(1));
        using var http = service.With(key);
        var expected = await new CategoryClient(http, "flange").ScoreAsync(Parts.Bad(1));

        var answers = await Boto3.RunAsync(
            """
            projects = vision.list_projects()["Projects"]
            result["projects"] = [project["ProjectName"] for project in projects]
            described = vision.describe_project(ProjectName="flange")["ProjectDescription"]
            result["created"] = described["CreationTimestamp"].year
            pages = vision.get_paginator("list_models").paginate(ProjectName="flange", PaginationConfig={"PageSize": 1})
            result["models"] = [model["ModelVersion"] for page in pages for model in page["Models"]]
            result["start"] = vision.start_model(ProjectName="flange", ModelVersion="1", MinInferenceUnits=1)["Status"]
            model = vision.describe_model(ProjectName="flange", ModelVersion="1")["ModelDescription"]
            result["hosted"] = model["Status"]
            with open(given["image"], "rb") as image:
                found = vision.detect_anomalies(
                    ProjectName="flange", ModelVersion="1", ContentType="image/jpeg", Body=image)["DetectAnomalyResult"]
            result["anomalous"] = found["IsAnomalous"]
            result["confidence"] = found["Confidence"]
            result["mask"] = found["AnomalyMask"][1:4].decode()
            with open(given["image"], "rb") as image:
                body = image.read()
            latest = vision.detect_anomalies(
                ProjectName="flange", ModelVersion="latest", ContentType="image/png", Body=body)["DetectAnomalyResult"]
            result["latest"] = latest["Confidence"]
            result["stop"] = vision.stop_model(ProjectName="flange", ModelVersion="1")["Status"]
            model = vision.describe_model(ProjectName="flange", ModelVersion="1")["ModelDescription"]
            result["stopped"] = model["Status"]
            try:
                vision.describe_model(ProjectName="flange", ModelVersion="7")
            except vision.exceptions.ResourceNotFoundException as error:
                result["missing"] = error.response["ResourceType"]
            for name, secret in {"secret": (given["id"], "wrong", given["key"]), "token": (given["id"], given["key"], None),
                                 "id": ("000000000000", given["key"], given["key"])}.items():
                try:
                    connect(*secret).list_projects()
                except botocore.exceptions.ClientError as error:
                    result["wrong " + name] = error.response["Error"]["Code"]
            """,
            new
            {
                address = service.Http.BaseAddress,
                id,
                key,
                image = bad,
            }
        );
        Assert.Equal("""["flange"]""", answers["projects"]!.ToJsonString());
        Assert.True((int)answers["created"]! >= 2026);
        Assert.Equal("""["1"]""", answers["models"]!.ToJsonString());
        Assert.Equal(("STARTING_HOSTING", "HOSTED"), (answers.Text("start"), answers.Text("hosted")));
        Assert.True((bool)answers["anomalous"]!);
        Assert.Equal(1 - expected.Number("pValue"), answers.Number("confidence"), 1e-9);
        Assert.Equal(answers.Number("confidence"), answers.Number("latest"));
        Assert.Equal("PNG", answers.Text("mask"));
        Assert.Equal(("STOPPING_HOSTING", "TRAINED"), (answers.Text("stop"), answers.Text("stopped")));
        Assert.Equal("model", answers.Text("missing"));
        foreach (var wrong in new[] { "wrong secret", "wrong token", "wrong id" })
            Assert.Equal("InvalidSignatureException", answers.Text(wrong));
    }

    private Task<HttpResponseMessage> DetectAsync(CategoryClient category, byte[] image, string version = "latest")
    {
        var content = new ByteArrayContent(image);
        content.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        return shared.Http.PostAsync($"/2020-11-20/projects/{category.Name}/models/{version}/detect", content);
    }
}
