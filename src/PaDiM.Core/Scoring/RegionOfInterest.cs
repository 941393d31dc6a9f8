using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>
/// The pixels that count. Ignored pixels have score 0. The others are smoothed over pixels that count only (normalised
/// convolution: Knutsson and Westin, 1993), so distances of masked patches neither raise nor lower a score next to the
/// mask. The receptive fields of patches at the edge still include some masked pixels. Immutable, thread-safe.
/// </summary>
public sealed class RegionOfInterest
{
    /// <summary>The least smoothed weight that is divided by.</summary>
    public const float MinWeight = 1e-6f;

    private readonly AnomalyMap _patchWeights;
    private readonly float[] _gains;

    /// <summary>Creates a region.</summary>
    /// <param name="ignored">True where a pixel of the prepared image is ignored, shape <c>(prepared.Height,
    /// prepared.Width)</c>; at least one pixel must count.</param>
    /// <param name="prepared">The prepared size, in pixels.</param>
    /// <param name="patches">The grid of patch positions.</param>
    /// <param name="sigma">Standard deviation of the smoothing Gaussian, in pixels of the prepared size.</param>
    /// <exception cref="ArgumentException">The mask has another size, or ignores every pixel.</exception>
    public RegionOfInterest(bool[] ignored, Grid prepared, Grid patches, double sigma)
    {
        Ignored = Shapes.CheckLength(ignored, prepared.Positions);
        if (Array.TrueForAll(ignored, pixel => pixel))
            throw new ArgumentException("The mask ignores every pixel.", nameof(ignored));
        CountedPixels = ignored.Count(pixel => !pixel);
        _patchWeights = new AnomalyMap(patches, ComputeShares(ignored, prepared, patches));
        _gains = _patchWeights.ToPixels(prepared, sigma).Values;
        for (var i = 0; i < _gains.Length; i++)
            _gains[i] = ignored[i] ? 0 : 1 / Math.Max(_gains[i], MinWeight);
    }

    /// <summary>Gets the mask: true where a pixel of the prepared image is ignored, row-major.</summary>
    public IReadOnlyList<bool> Ignored { get; }

    /// <summary>Gets the number of pixels that count.</summary>
    public int CountedPixels { get; }

    /// <summary>
    /// Gets the share of each patch that counts, 0 to 1, per patch position: distances are multiplied by it before they
    /// are upsampled.
    /// </summary>
    public ReadOnlySpan<float> PatchWeights => _patchWeights.Values;

    /// <summary>
    /// Gets the factors of a smoothed map, per pixel of the prepared image: 0 for ignored pixels, otherwise 1 over the
    /// smoothed patch weights.
    /// </summary>
    public ReadOnlySpan<float> Gains => _gains;

    /// <summary>Multiplies distances by the share of each patch that counts.</summary>
    internal AnomalyMap Weigh(AnomalyMap distances)
    {
        var weighted = new float[distances.Values.Length];
        TensorPrimitives.Multiply(distances.Values, _patchWeights.Values, weighted);
        return new AnomalyMap(distances.Grid, weighted);
    }

    /// <summary>Divides a smoothed map by the smoothed weights, in place; ignored pixels become 0.</summary>
    internal AnomalyMap Normalise(AnomalyMap smoothed)
    {
        TensorPrimitives.Multiply(smoothed.Values, _gains, smoothed.Values);
        return smoothed;
    }

    /// <summary>Computes the share of each patch's pixels that count.</summary>
    private static float[] ComputeShares(bool[] ignored, Grid prepared, Grid patches)
    {
        var counted = new float[patches.Positions];
        var all = new float[patches.Positions];
        for (var y = 0; y < prepared.Height; y++)
        for (var x = 0; x < prepared.Width; x++)
        {
            var patch =
                (int)((long)y * patches.Height / prepared.Height) * patches.Width
                + (int)((long)x * patches.Width / prepared.Width);
            all[patch]++;
            if (!ignored[y * prepared.Width + x])
                counted[patch]++;
        }
        TensorPrimitives.Divide(counted, all, counted);
        return counted;
    }
}
