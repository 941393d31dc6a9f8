using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Support;

/// <summary>Reduces taps as a backbone's graph does, in plain loops.</summary>
internal static class TapReductions
{
    public static PatchEmbedding Embed(this ChannelReduction reduction, params ReferenceEmbedding.Tap[] taps) =>
        PatchEmbedding.FromTaps(
            new ReducedTaps([.. taps.Select((tap, i) => Reduce(reduction, i, tap))], reduction.Dimensions)
        );

    public static FeatureMap Reduce(ChannelReduction reduction, int index, ReferenceEmbedding.Tap tap)
    {
        var d = reduction.Dimensions;
        var positions = tap.Height * tap.Width;
        var weights = reduction.GetTapWeights(index).ToArray();
        var reduced = new float[positions * d];
        for (var p = 0; p < positions; p++)
        for (var k = 0; k < d; k++)
            reduced[p * d + k] = (float)
                Enumerable.Range(0, tap.Channels).Sum(c => (double)tap.Values[c * positions + p] * weights[c * d + k]);
        return new FeatureMap(reduced, new Grid(tap.Height, tap.Width));
    }
}
