using System.Text.Json.Nodes;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Everything that a line calls of Lookout for Vision, as AWS's own SDKs send it, but for the address.</summary>
public sealed class LookoutSdkTests
{
    private const string Script = """
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
        """;

    [Fact]
    public async Task Code_for_boto3_works_with_another_address()
    {
        Assert.SkipUnless(await Boto3.IsPresentAsync(), Boto3.Missing);
        var answers = await RunAsync(given => Boto3.RunAsync(Script, given));
        foreach (var wrong in new[] { "wrong secret", "wrong token", "wrong id" })
            Assert.Equal("InvalidSignatureException", answers.Text(wrong));
    }

    [Fact]
    public async Task Code_for_the_SDK_for_JavaScript_works_with_another_address()
    {
        Assert.SkipUnless(AwsSdk.IsPresent, AwsSdk.Missing);
        var answers = await RunAsync(AwsSdk.RunAsync);
        Assert.Equal("InvalidSignatureException", answers.Text("wrong"));
    }

    /// <summary>Lets an SDK speak to a service with one model, and checks what it was told.</summary>
    private static async Task<JsonNode> RunAsync(Func<object, Task<JsonNode>> speak)
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(data.Path);
        await service.Category("flange").CreateFittedAsync(4);
        var (key, id) = await service.KeyAsync(AccessScope.Score);
        var image = data.Combine("bad.bmp");
        await File.WriteAllBytesAsync(image, Parts.Bad(1));
        using var http = service.With(key);
        var expected = await new CategoryClient(http, "flange").ScoreAsync(Parts.Bad(1));

        var answers = await speak(
            new
            {
                address = service.Http.BaseAddress,
                id,
                key,
                image,
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
        return answers;
    }
}
