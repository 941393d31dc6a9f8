using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Inference;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Service.Tests;

public sealed class OnnxExportTests(SharedService shared)
{
    [Fact]
    public async Task The_exported_graph_scores_as_the_service_and_knows_its_threshold()
    {
        var category = shared.Service.Category(shared.NewName());
        await category.CreateFittedAsync(12, new { imageSize = Parts.Side, reduction = new { dimensions = 20 } });
        await (
            await shared.Http.PatchAsync(
                $"{category.Url}/threshold",
                System.Net.Http.Json.JsonContent.Create(new { threshold = 17.25 })
            )
        ).JsonAsync(200);
        var response = await shared.Http.GetAsync($"{category.Url}/models/1/export?format=onnx");
        Assert.Equal(
            (200, "application/octet-stream"),
            ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType)
        );
        Assert.Equal($"{category.Name}-1.onnx", response.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
        var onnx = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(onnx.Length, response.Content.Headers.ContentLength);

        using var options = OnnxRuntimeLibrary.CreateOptions();
        using var session = OnnxRuntimeLibrary.OpenSession(onnx, options);
        var about = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(
            (category.Name, "1", 17.25),
            (
                about["padim.category"],
                about["padim.model_version"],
                double.Parse(about["padim.threshold"], CultureInfo.InvariantCulture)
            )
        );
        // Photographs of the image size need no resizing.
        var part = SyntheticParts.Good(300, Parts.Side);
        var planes = new float[3 * Parts.Side * Parts.Side];
        for (var i = 0; i < planes.Length; i++)
            planes[i % 3 * Parts.Side * Parts.Side + i / 3] = part.Pixels[i] / 255f;
        using var image = OrtValue.CreateTensorValueFromMemory(planes, [1, 3, Parts.Side, Parts.Side]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, ["image"], [image], ["score"]);
        var score = (await category.ScoreAsync(Parts.Good(300))).Number("score");
        Assert.Equal(score, outputs[0].GetTensorDataAsSpan<float>()[0], 1e-3 * score);
    }

    [Fact]
    public async Task What_cannot_be_exported_is_a_problem()
    {
        var category = await shared.FittedAsync();
        await (await shared.Http.GetAsync($"{category.Url}/models/1/export?format=tflite")).ProblemAsync(
            400,
            "invalid_request"
        );
        await (await shared.Http.GetAsync($"{category.Url}/models/7/export?format=onnx")).ProblemAsync(
            404,
            "model_not_found"
        );
        Assert.Equal(
            200,
            (int)(await shared.Http.GetAsync($"{category.Url}/models/1/export?format=safetensors")).StatusCode
        );

        var aligned = shared.Service.Category(shared.NewName());
        await aligned.CreateFittedAsync(4, new { imageSize = 64, alignment = "rigid" });
        await (await shared.Http.GetAsync($"{aligned.Url}/models/1/export?format=onnx")).ProblemAsync(
            422,
            "export_unsupported"
        );
    }
}
