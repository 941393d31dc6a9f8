using PaDiM.Core.Embedding;
using PaDiM.Onnx.Devices;
using PaDiM.Onnx.Tests.Support;

namespace PaDiM.Onnx.Tests.Devices;

/// <summary>The path that keeps everything on the device, with the CPU for a device.</summary>
public sealed class DeviceScorerTests
{
    [Theory]
    [MemberData(nameof(ExportCase.Kinds), MemberType = typeof(ExportCase))]
    public void It_scores_as_the_kernels(ReductionMethod reduction, int images, int size, int? crop, double blur, bool masked)
    {
        using var made = new ExportCase(ExportCase.Settings(reduction, size, crop, blur), images, masked);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        foreach (var batch in new[] { 1, 3, 1 })
        {
            var parts = ExportCase.Images(batch);
            var (maps, scores) = scorer.Score(made.Prepare(parts), batch);
            Assert.All(maps, map => Assert.Equal(scorer.PreparedSize, map.Grid));
            made.AssertEqual(made.Expected(parts), maps.SelectMany(map => map.Values).ToArray(), scores);
        }
    }

    [Fact]
    public void Its_size_is_that_of_the_statistics()
    {
        using var made = new ExportCase(Fits.Settings);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        var (positions, d) = (made.Model.Distribution.Grid.Positions, made.Model.Distribution.Dimensions);
        Assert.Equal(sizeof(float) * ((long)positions * d * (d + 1) + d * made.Model.Reduction.InputChannels), scorer.DeviceBytes);
    }

    [Fact]
    public async Task Requests_side_by_side_get_their_own_answers()
    {
        using var made = new ExportCase(Fits.Settings);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        var parts = ExportCase.Images(6);
        var expected = made.Expected(parts);
        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(() =>
        {
            var (_, scores) = scorer.Score(made.Prepare([parts[i % 6]]), 1);
            Assert.Equal(expected[i % 6].Max(), scores[0], 1e-3 * expected[i % 6].Max());
        })));
    }

    [Fact]
    public void Another_backbone_is_refused()
    {
        using var folder = new BackboneFolder();
        using var made = new ExportCase(Fits.Settings);
        var own = folder.Put("own", OnnxGraph.Classifier(-1, 3, -1, -1)).Registry.Open("own");
        Assert.Throws<InvalidDataException>(() => new DeviceScorer(made.Model, own));
    }
}
