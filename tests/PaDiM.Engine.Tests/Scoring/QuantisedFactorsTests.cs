using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Engine.Tests.Scoring;

/// <summary>
/// What factors in 16 bits cost on real photographs, good and defective: each distance against float64, and the maximum
/// that an image is judged by.
/// </summary>
public sealed class QuantisedFactorsTests(ITestOutputHelper output)
{
    private const int Images = 120,
        Tested = 40;

    [Theory]
    [InlineData("data/magnetic_tile", "tiny")]
    [InlineData("data/mvtec_bottle", "tiny")]
    [InlineData("data/magnetic_tile", "resnet18")]
    [InlineData("data/mvtec_bottle", "resnet18")]
    public void Distances_are_those_of_float64_within_one_in_ten_thousand(string set, string name)
    {
        Assert.SkipUnless(SharedFolder.Has(set), SharedFolder.Missing(set));
        Assert.SkipUnless(name == "tiny" || SharedFolder.Has("backbones"), SharedFolder.Missing("backbones"));
        using var registry = new BackboneRegistry(
            name == "tiny" ? [] : [SharedFolder.Path("backbones")],
            BackboneFolder.Cpu
        );
        var backbone = registry.Open(name);
        var reduction = ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, backbone.TapChannels, 100, 1024);
        var embedder = new Embedder(backbone, new FitSettings(), reduction);
        var images = Embed(embedder, Path.Combine(SharedFolder.Path(set), "train", "good"), Images);
        var tested = Embed(embedder, Path.Combine(SharedFolder.Path(set), "test"), Tested);

        var statistics = new PatchStatistics(images[0].Grid, 100);
        statistics.Add(images);
        var distribution = Assert.IsType<QuantisedDistribution>(
            PatchDistribution.Freeze(statistics, new Regularisation(0.01))
        );
        var maps = PaDiM.Core.Scoring.MahalanobisScorer.ComputeDistances(distribution, tested);
        var worst = 0.0;
        for (var p = 0; p < images[0].Grid.Positions; p += 97)
        {
            var gaussian = ReferenceGaussian.Fit([.. images.Select(image => Vector(image, p))], 0.01);
            for (var i = 0; i < tested.Length; i++)
            {
                var exact = gaussian.Distance(Vector(tested[i], p));
                worst = Math.Max(worst, Math.Abs(maps[i].Values[p] - exact) / exact);
            }
        }
        output.WriteLine($"{set}, {name}: largest relative error {worst:e1}");
        Assert.InRange(worst, 0, 1e-4);
    }

    private static PatchEmbedding[] Embed(Embedder embedder, string folder, int count)
    {
        var files = Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToArray();
        var step = Math.Max(1, files.Length / count);
        var prepared = new float[embedder.PreparedLength];
        return
        [
            .. files
                .Where((_, i) => i % step == 0)
                .Take(count)
                .Select(file =>
                {
                    embedder.Preprocessing.Prepare(
                        ((DecodeResult.Decoded)new ImageDecoder().Decode(File.ReadAllBytes(file))).Image,
                        prepared
                    );
                    return embedder.Embed(prepared, 1, OnThreadPool.Context)[0];
                }),
        ];
    }

    private static double[] Vector(PatchEmbedding image, int position) =>
        Array.ConvertAll(image[position].ToArray(), value => (double)value);
}
