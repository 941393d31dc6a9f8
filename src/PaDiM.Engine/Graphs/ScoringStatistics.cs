using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// A model's numbers as the tensors that <see cref="ScoringGraph"/> reads, P positions and d dimensions.
/// </summary>
internal static class ScoringStatistics
{
    /// <summary>Names of the tensors.</summary>
    public const string Mean = "mean",
        Whitening = "whitening",
        PatchWeights = "patch_weights",
        Gains = "gains";

    /// <summary>Name of a tap's projection.</summary>
    public static string ProjectionOf(int tap) => $"projection_{tap}";

    /// <summary>
    /// <c>mean</c> (P, 1, d); <c>whitening</c> (P, d, d), F^T with F^T F = Cov^-1, for row vectors; of a model that
    /// ignores pixels <c>patch_weights</c> (P) and <c>gains</c> (H, W).
    /// </summary>
    public static IReadOnlyList<ScoringTensor> Of(PadimModel model)
    {
        var distribution = model.Distribution;
        var prepared = model.Settings.GetPreparedSize();
        var positions = distribution.Grid.Positions;
        var d = distribution.Dimensions;
        List<ScoringTensor> tensors =
        [
            new(Mean, [positions, 1, d], distribution.Mean.ToArray()),
            new(
                Whitening,
                [positions, d, d],
                positions,
                (position, target) => FillTransposed(distribution, position, target)
            ),
        ];
        if (model.Settings.CreateRegion(model.Ignored, distribution.Grid) is { } region)
        {
            tensors.Add(new(PatchWeights, [positions], region.PatchWeights.ToArray()));
            tensors.Add(new(Gains, [prepared.Height, prepared.Width], region.Gains.ToArray()));
        }
        return tensors;
    }

    /// <summary>
    /// As above, and for a projection a <c>projection_l</c> (d, C_l) each tap: where the graph begins with the
    /// backbone's own taps.
    /// </summary>
    public static IReadOnlyList<ScoringTensor> WithProjections(PadimModel model) =>
        model.Reduction is ChannelProjection projection ? [.. Of(model), .. Projections(projection)] : Of(model);

    /// <summary>What they take, without making any of them.</summary>
    public static long Bytes(PadimModel model) => sizeof(float) * WithProjections(model).Sum(tensor => tensor.Length);

    private static void FillTransposed(PatchDistribution distribution, int position, Span<float> target)
    {
        var d = distribution.Dimensions;
        distribution.UnpackWhitening(position, target);
        for (var i = 0; i < d; i++)
        for (var j = 0; j < i; j++)
            (target[i * d + j], target[j * d + i]) = (target[j * d + i], target[i * d + j]);
    }

    private static IEnumerable<ScoringTensor> Projections(ChannelProjection projection)
    {
        for (var tap = 0; tap < projection.TapChannels.Count; tap++)
        {
            var weights = projection.GetTapWeights(tap).ToArray();
            var channels = projection.TapChannels[tap];
            var d = projection.Dimensions;
            var transposed = new float[d * channels];
            for (var c = 0; c < channels; c++)
            for (var j = 0; j < d; j++)
                transposed[j * channels + c] = weights[c * d + j];
            yield return new(ProjectionOf(tap), [d, channels], transposed);
        }
    }
}
