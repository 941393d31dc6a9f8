using System.Buffers;
using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>
/// Anomaly scores over an area: Mahalanobis distances at patch positions, or the same upsampled and smoothed to pixels.
/// </summary>
/// <param name="grid">Rows and columns.</param>
/// <param name="values">Shape <c>(grid.Height, grid.Width)</c>, row-major, at least 0, no unit.</param>
public sealed class AnomalyMap(Grid grid, float[] values)
{
    /// <summary>Rows and columns.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>Scores, row-major.</summary>
    public float[] Values { get; } = Shapes.CheckLength(values, grid.Positions);

    /// <summary>The image score: the largest value.</summary>
    public float Max() => TensorPrimitives.Max<float>(Values);

    /// <summary>
    /// Distances at patch positions to the smoothed pixel map that scores, heatmaps and regions are read from.
    /// </summary>
    /// <param name="prepared">The prepared size, in pixels.</param>
    /// <param name="sigma">Standard deviation of the Gaussian in pixels of the prepared size; 0 leaves the map
    /// unsmoothed.</param>
    /// <param name="region">The pixels that count; null for all.</param>
    public AnomalyMap ToPixels(Grid prepared, double sigma, RegionOfInterest? region = null) =>
        region is null ? Smooth(prepared, sigma) : region.Normalise(region.Weigh(this).Smooth(prepared, sigma));

    /// <summary>Bilinear upsampling with <c>align_corners = false</c> and clamped borders.</summary>
    public AnomalyMap Upsample(Grid size) =>
        Apply(
            AxisOperator.CreateUpsampling(Grid.Height, size.Height),
            AxisOperator.CreateUpsampling(Grid.Width, size.Width)
        );

    /// <summary>
    /// Upsampling, then a Gaussian of radius <c>floor(4 sigma + 0.5)</c> with mirrored borders that do not repeat the
    /// edge.
    /// </summary>
    private AnomalyMap Smooth(Grid size, double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sigma);
        return Apply(
            AxisOperator.CreateSmoothing(Grid.Height, size.Height, sigma),
            AxisOperator.CreateSmoothing(Grid.Width, size.Width, sigma)
        );
    }

    /// <summary>
    /// Across first, while there are few rows. Sums run along rows only: the map is turned for it, and turned back.
    /// </summary>
    private AnomalyMap Apply(AxisOperator rows, AxisOperator columns)
    {
        var height = Grid.Height;
        var width = columns.OutputCount;
        var turned = ArrayPool<float>.Shared.Rent(Grid.Positions);
        var wide = ArrayPool<float>.Shared.Rent(width * height);
        var upright = ArrayPool<float>.Shared.Rent(width * height);
        var result = new float[rows.OutputCount * width];
        Transpose(Values, height, Grid.Width, turned);
        columns.Apply(turned, height, wide);
        Transpose(wide, width, height, upright);
        rows.Apply(upright, width, result);
        ArrayPool<float>.Shared.Return(turned);
        ArrayPool<float>.Shared.Return(wide);
        ArrayPool<float>.Shared.Return(upright);
        return new AnomalyMap(new Grid(rows.OutputCount, width), result);
    }

    private static void Transpose(ReadOnlySpan<float> source, int height, int width, Span<float> target)
    {
        for (var y = 0; y < height; y++)
        {
            var row = source.Slice(y * width, width);
            for (var x = 0; x < row.Length; x++)
                target[x * height + y] = row[x];
        }
    }
}
