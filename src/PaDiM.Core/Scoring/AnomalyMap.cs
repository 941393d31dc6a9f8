using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>
/// Anomaly scores over an area: Mahalanobis distances at patch positions, or the same upsampled and smoothed to pixels.
/// </summary>
/// <param name="grid">Rows and columns.</param>
/// <param name="values">Shape <c>(grid.Height, grid.Width)</c>, row-major, at least 0, without unit.</param>
/// <exception cref="ArgumentException">The number of values does not match the shape.</exception>
public sealed class AnomalyMap(Grid grid, float[] values)
{
    /// <summary>Gets the shape of the map.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>Gets the scores, shape <c>(Grid.Height, Grid.Width)</c>, row-major.</summary>
    public float[] Values { get; } = Shapes.CheckLength(values, grid.Positions);

    /// <summary>Gets the image score: the largest value.</summary>
    public float Max() => TensorPrimitives.Max<float>(Values);

    /// <summary>
    /// Upsamples and smooths this map of patch positions to pixels, with a <see cref="PixelMapper"/> for this call
    /// only.
    /// </summary>
    /// <param name="prepared">The prepared size, in pixels.</param>
    /// <param name="sigma">Standard deviation of the Gaussian, in pixels of the prepared size; 0 does not
    /// smooth.</param>
    /// <param name="region">The pixels that count; null for all.</param>
    /// <exception cref="ArgumentOutOfRangeException">Sigma is negative.</exception>
    public AnomalyMap ToPixels(Grid prepared, double sigma, RegionOfInterest? region = null) =>
        new PixelMapper(Grid, prepared, sigma).ToPixels(this, region);

    /// <summary>Upsamples with bilinear interpolation, <c>align_corners = false</c> and clamped borders.</summary>
    /// <param name="size">The new shape.</param>
    public AnomalyMap Upsample(Grid size) => PixelMapper.CreateUpsampling(Grid, size).ToPixels(this);
}
