using System.Buffers;
using System.Numerics.Tensors;
using PaDiM.Core.Embedding;

namespace PaDiM.Core.Scoring;

/// <summary>Anomaly scores over an area: Mahalanobis distances at patch positions, or the same upsampled and smoothed to pixels.</summary>
/// <param name="grid">Rows and columns.</param>
/// <param name="values">Shape <c>(grid.Height, grid.Width)</c>, row-major, at least 0, no unit.</param>
public sealed class AnomalyMap(Grid grid, float[] values)
{
    /// <summary>Rows and columns.</summary>
    public Grid Grid { get; } = grid;

    /// <summary>Scores, row-major.</summary>
    public float[] Values { get; } = Shapes.Checked(values, grid.Positions);

    /// <summary>The image score: the largest value.</summary>
    public float Max() => TensorPrimitives.Max<float>(Values);

    /// <summary>Distances at patch positions to the smoothed pixel map that scores, heatmaps and regions are read from.</summary>
    /// <param name="prepared">The prepared size, in pixels.</param>
    /// <param name="sigma">Standard deviation of the Gaussian in pixels of the prepared size; 0 leaves the map unsmoothed.</param>
    /// <param name="region">The pixels that count; null for all.</param>
    public AnomalyMap ToPixels(Grid prepared, double sigma, RegionOfInterest? region = null) =>
        region is null ? Upsample(prepared).Smooth(sigma) : region.Normalise(region.Weigh(this).Upsample(prepared).Smooth(sigma));

    /// <summary>Bilinear upsampling with <c>align_corners = false</c> and clamped borders.</summary>
    public AnomalyMap Upsample(Grid size)
    {
        var (rows, columns) = (Axis(Grid.Height, size.Height), Axis(Grid.Width, size.Width));
        var widened = ArrayPool<float>.Shared.Rent(Grid.Height * size.Width);
        for (var y = 0; y < Grid.Height; y++)
        {
            var source = Values.AsSpan(y * Grid.Width, Grid.Width);
            for (var x = 0; x < size.Width; x++)
            {
                var (low, high, share) = columns[x];
                widened[y * size.Width + x] = source[low] * (1 - share) + source[high] * share;
            }
        }
        var result = new float[size.Positions];
        for (var y = 0; y < size.Height; y++)
        {
            var (low, high, share) = rows[y];
            var row = result.AsSpan(y * size.Width, size.Width);
            TensorPrimitives.Multiply(widened.AsSpan(low * size.Width, size.Width), 1 - share, row);
            TensorPrimitives.MultiplyAdd(widened.AsSpan(high * size.Width, size.Width), share, row, row);
        }
        ArrayPool<float>.Shared.Return(widened);
        return new AnomalyMap(size, result);
    }

    /// <summary>Gaussian of radius <c>floor(4 sigma + 0.5)</c> with mirrored borders that do not repeat the edge.</summary>
    public AnomalyMap Smooth(double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sigma);
        var kernel = GaussianKernel(sigma);
        if (kernel.Length == 1) return this;
        var radius = kernel.Length / 2;
        var vertical = ArrayPool<float>.Shared.Rent(Grid.Positions);
        for (var y = 0; y < Grid.Height; y++)
        {
            var row = vertical.AsSpan(y * Grid.Width, Grid.Width);
            row.Clear();
            for (var k = 0; k < kernel.Length; k++)
                TensorPrimitives.MultiplyAdd(Values.AsSpan(Mirror(y + k - radius, Grid.Height) * Grid.Width, Grid.Width), kernel[k], row, row);
        }
        var result = new float[Grid.Positions];
        var padded = new float[Grid.Width + 2 * radius];
        for (var y = 0; y < Grid.Height; y++)
        {
            var source = vertical.AsSpan(y * Grid.Width, Grid.Width);
            for (var x = 0; x < padded.Length; x++) padded[x] = source[Mirror(x - radius, Grid.Width)];
            var row = result.AsSpan(y * Grid.Width, Grid.Width);
            for (var k = 0; k < kernel.Length; k++) TensorPrimitives.MultiplyAdd(padded.AsSpan(k, Grid.Width), kernel[k], row, row);
        }
        ArrayPool<float>.Shared.Return(vertical);
        return new AnomalyMap(Grid, result);
    }

    private static float[] GaussianKernel(double sigma)
    {
        var radius = (int)(4 * sigma + 0.5);
        if (radius == 0) return [1];
        var kernel = new double[2 * radius + 1];
        for (var i = 0; i < kernel.Length; i++) kernel[i] = Math.Exp(-0.5 * Math.Pow((i - radius) / sigma, 2));
        var sum = kernel.Sum();
        return Array.ConvertAll(kernel, k => (float)(k / sum));
    }

    private static int Mirror(int index, int length)
    {
        if (length == 1) return 0;
        var period = 2 * (length - 1);
        index = Math.Abs(index) % period;
        return index < length ? index : period - index;
    }

    private static (int Low, int High, float Share)[] Axis(int from, int to)
    {
        var axis = new (int, int, float)[to];
        for (var i = 0; i < to; i++)
        {
            var centre = Math.Clamp((i + 0.5) * from / to - 0.5, 0, from - 1);
            var low = (int)centre;
            axis[i] = (low, Math.Min(low + 1, from - 1), (float)(centre - low));
        }
        return axis;
    }
}
