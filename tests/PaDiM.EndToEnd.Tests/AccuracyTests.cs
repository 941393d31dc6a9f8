using System.Text.Json.Nodes;
using PaDiM.Core.Evaluation;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.EndToEnd.Tests;

/// <summary>
/// Photographs through the published program: what users get must separate good from bad as well as the method does.
/// </summary>
public sealed class AccuracyTests(PublishedService service, ITestOutputHelper output)
{
    private const int ConcurrentRequests = 2;

    [Theory]
    [InlineData("magnetic_tile", "tiny", 0.82)]
    [InlineData("magnetic_tile", "tiny-int8", 0.82)]
    [InlineData("magnetic_tile", "resnet18", 0.84)]
    public async Task Defects_are_told_from_good_images(string dataSet, string backbone, double imageAuroc)
    {
        var (category, data) = await FitAsync(dataSet, backbone);
        var scores = new float[data.Test.Count];
        await EachTestImageAsync(
            data,
            async (i, path) =>
                scores[i] = (float)
                    (double)(await service.Client.ScoreAsync(category, File.ReadAllBytes(path)))["score"]!
        );
        AtLeast(
            imageAuroc,
            Auroc.Compute(scores, [.. data.Test.Select(test => test.Mask is not null)]),
            $"image AUROC of {dataSet} with {backbone}"
        );
    }

    [Theory]
    [InlineData("mvtec_bottle", "tiny", 0.985, 0.97)]
    [InlineData("mvtec_bottle", "resnet18", 0.99, 0.97)]
    public async Task Defects_are_told_from_good_images_and_located(
        string dataSet,
        string backbone,
        double imageAuroc,
        double pixelAuroc
    )
    {
        const int side = 256;
        var (category, data) = await FitAsync(dataSet, backbone);
        var scores = new float[data.Test.Count];
        var pixels = new float[data.Test.Count * side * side];
        var anomalous = new bool[data.Test.Count * side * side];
        await EachTestImageAsync(
            data,
            async (i, path) =>
            {
                var (score, map) = await service.Client.ScoreMapAsync(category, File.ReadAllBytes(path));
                Assert.Equal((side, side), (map.Height, map.Width));
                Assert.Equal(map.Values.Max(), score);
                scores[i] = score;
                map.Values.CopyTo(pixels, i * side * side);
                DataSet.ReadMask(data.Test[i].Mask, side, side).CopyTo(anomalous, i * side * side);
            }
        );
        AtLeast(
            imageAuroc,
            Auroc.Compute(scores, [.. data.Test.Select(test => test.Mask is not null)]),
            $"image AUROC of {dataSet} with {backbone}"
        );
        AtLeast(pixelAuroc, Auroc.Compute(pixels, anomalous), $"pixel AUROC of {dataSet} with {backbone}");
    }

    private async Task<(string Category, DataSet Data)> FitAsync(string dataSet, string backbone)
    {
        Assert.SkipUnless(SharedFolder.Has($"data/{dataSet}"), SharedFolder.Missing($"data/{dataSet}"));
        Assert.SkipUnless(
            backbone is "tiny" or "tiny-int8" || SharedFolder.Has($"backbones/{backbone}.onnx"),
            SharedFolder.Missing($"backbones/{backbone}.onnx")
        );
        var category = $"{dataSet}-{backbone}";
        var data = new DataSet(SharedFolder.Path($"data/{dataSet}"));
        await service.Client.PutAsync($"/v1/categories/{category}", new JsonObject { ["backbone"] = backbone });
        await service.Client.UploadAsync(category, data.Training);
        await service.Client.FitAsync(category);
        return (category, data);
    }

    private static Task EachTestImageAsync(DataSet data, Func<int, string, Task> score) =>
        Parallel.ForEachAsync(
            data.Test.Select((test, i) => (i, test.Path)),
            new ParallelOptions { MaxDegreeOfParallelism = ConcurrentRequests },
            async (test, _) => await score(test.i, test.Path)
        );

    private void AtLeast(double expected, double measured, string what)
    {
        output.WriteLine($"{what}: {measured:F4}, at least {expected} wanted");
        Assert.True(measured >= expected, $"{what} is {measured:F4}, below {expected}.");
    }
}
