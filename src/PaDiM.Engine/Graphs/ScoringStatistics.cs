using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Converts a model to the tensors that <see cref="ScoringGraph"/> reads, with P positions and d dimensions.
/// </summary>
internal static class ScoringStatistics
{
    /// <summary>Name of the tensor with the means.</summary>
    public const string Mean = "mean";

    /// <summary>Name of the tensor with the whitening factors.</summary>
    public const string Whitening = "whitening";

    /// <summary>Name of the tensor with the weights of the patches of a model that ignores pixels.</summary>
    public const string PatchWeights = "patch_weights";

    /// <summary>Name of the tensor with the gains of the pixels of a model that ignores pixels.</summary>
    public const string Gains = "gains";

    /// <summary>Gets the name of the tensor with a tap's projection.</summary>
    public static string GetProjectionName(int tap) => $"projection_{tap}";

    /// <summary>
    /// Creates <c>mean</c> (P, 1, d) and <c>whitening</c> (P, d, d), which is F^T with F^T F = Cov^-1, for row vectors;
    /// where all positions share a Gaussian, <c>mean</c> (1, 1, d) and <c>whitening</c> (d, d); for a model that ignores pixels also <c>patch_weights</c> (P) and <c>gains</c> (H, W).
    /// </summary>
    public static IReadOnlyList<ScoringTensor> Create(PadimModel model)
    {
        var distribution = model.Distribution;
        var prepared = model.Settings.GetPreparedSize();
        var positions = distribution.Grid.Positions;
        var d = distribution.Dimensions;
        List<ScoringTensor> tensors =
        [
            new(Mean, [distribution.GaussianCount, 1, d], distribution.Mean.ToArray()),
            new(
                Whitening,
                // One matrix is multiplied with the vectors of all positions at once.
                distribution is SharedDistribution
                    ? [d, d]
                    : [positions, d, d],
                distribution.GaussianCount,
                (position, target) => FillTransposed(distribution, position, target)
            ),
        ];
        // What counts of a letterbox differs between images.
        if (
            model.Settings.Aspect != AspectMode.Letterbox
            && model.Settings.CreateRegion(model.Ignored, distribution.Grid) is { } region
        )
        {
            tensors.Add(new(PatchWeights, [positions], region.PatchWeights.ToArray()));
            tensors.Add(new(Gains, [prepared.Height, prepared.Width], region.Gains.ToArray()));
        }
        return tensors;
    }

    /// <summary>
    /// Creates the same tensors, and for a projection one <c>projection_l</c> (d, C_l) per tap, for a graph that begins
    /// with the backbone's own taps.
    /// </summary>
    public static IReadOnlyList<ScoringTensor> CreateWithProjections(PadimModel model) =>
        model.Reduction is ChannelProjection projection
            ? [.. Create(model), .. CreateProjections(projection)]
            : Create(model);

    /// <summary>Counts the bytes of all tensors without creating their values.</summary>
    public static long CountBytes(PadimModel model) =>
        sizeof(float) * CreateWithProjections(model).Sum(tensor => tensor.Length);

    private static void FillTransposed(PatchDistribution distribution, int position, Span<float> target)
    {
        var d = distribution.Dimensions;
        distribution.UnpackWhitening(position, target);
        for (var i = 0; i < d; i++)
        for (var j = 0; j < i; j++)
            (target[i * d + j], target[j * d + i]) = (target[j * d + i], target[i * d + j]);
    }

    private static IEnumerable<ScoringTensor> CreateProjections(ChannelProjection projection)
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
            yield return new(GetProjectionName(tap), [d, channels], transposed);
        }
    }
}
