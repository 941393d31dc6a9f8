using System.Buffers;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Scoring;

/// <summary>
/// Turns distances at patch positions into the smoothed pixel maps that scores, heatmaps and regions are read from.
/// Holds the weights of upsampling and smoothing: create one per model or run, not one per image. Immutable,
/// thread-safe.
/// </summary>
public sealed class PixelMapper
{
    private readonly Grid _patches;
    private readonly AxisOperator _rows;
    private readonly AxisOperator _columns;

    /// <summary>Creates a mapper.</summary>
    /// <param name="patches">The grid of patch positions.</param>
    /// <param name="prepared">The prepared size, in pixels.</param>
    /// <param name="sigma">Standard deviation of the Gaussian, in pixels of the prepared size; 0 does not
    /// smooth.</param>
    /// <exception cref="ArgumentOutOfRangeException">Sigma is negative.</exception>
    public PixelMapper(Grid patches, Grid prepared, double sigma)
        : this(
            patches,
            AxisOperator.CreateSmoothing(patches.Height, prepared.Height, sigma),
            AxisOperator.CreateSmoothing(patches.Width, prepared.Width, sigma)
        ) { }

    private PixelMapper(Grid patches, AxisOperator rows, AxisOperator columns)
    {
        _patches = patches;
        _rows = rows;
        _columns = columns;
    }

    /// <summary>Creates a mapper that upsamples without smoothing.</summary>
    internal static PixelMapper CreateUpsampling(Grid from, Grid to) =>
        CreateUpsampling(
            from,
            AxisOperator.CreateUpsampling(from.Height, to.Height),
            AxisOperator.CreateUpsampling(from.Width, to.Width)
        );

    /// <summary>Creates a mapper of two operators that upsample.</summary>
    internal static PixelMapper CreateUpsampling(Grid from, AxisOperator rows, AxisOperator columns) =>
        new(from, rows, columns);

    /// <summary>
    /// Upsamples and smooths a map: bilinear with <c>align_corners = false</c> and clamped borders, then a Gaussian of
    /// radius <c>floor(4 sigma + 0.5)</c> with mirrored borders that do not repeat the edge.
    /// </summary>
    /// <param name="distances">Distances at patch positions.</param>
    /// <param name="region">The pixels that count; null for all.</param>
    /// <exception cref="ArgumentException">The map has another shape than the patches.</exception>
    public AnomalyMap ToPixels(AnomalyMap distances, RegionOfInterest? region = null) =>
        region is null ? Apply(distances) : region.Normalise(Apply(region.Weigh(distances)));

    /// <summary>
    /// Applies the columns' operator first, while there are few rows. Operators run down columns, so the map is
    /// transposed for it and back.
    /// </summary>
    private AnomalyMap Apply(AnomalyMap map)
    {
        if (map.Grid != _patches)
            throw new ArgumentException($"A map with {map.Grid} does not fit patches with {_patches}.", nameof(map));
        var height = _patches.Height;
        var width = _columns.OutputCount;
        var transposed = ArrayPool<float>.Shared.Rent(_patches.Positions);
        var wide = ArrayPool<float>.Shared.Rent(width * height);
        var upright = ArrayPool<float>.Shared.Rent(width * height);
        var result = new float[_rows.OutputCount * width];
        Transpose(map.Values, height, _patches.Width, transposed);
        _columns.Apply(transposed, height, wide);
        Transpose(wide, width, height, upright);
        _rows.Apply(upright, width, result);
        ArrayPool<float>.Shared.Return(transposed);
        ArrayPool<float>.Shared.Return(wide);
        ArrayPool<float>.Shared.Return(upright);
        return new AnomalyMap(new Grid(_rows.OutputCount, width), result);
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
