using System.Buffers;
using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.DatasetReview;

/// <summary>
/// What is measured of one training image, so that <see cref="TrainingSetReview"/> can compare it with the others after
/// its pixels are gone: exposure, contrast, sharpness and a thumbnail. The numbers mean little by themselves: they are
/// compared within a set of images of one scene. Immutable, thread-safe; about 4 kB.
/// </summary>
public sealed class ImageTraits
{
    /// <summary>Side of the thumbnail, and of the smallest image that is measured, in pixels.</summary>
    public const int ThumbnailSide = 32;

    /// <summary>Length of <see cref="ToVector"/>.</summary>
    public const int VectorLength = ScalarCount + ThumbnailSide * ThumbnailSide;

    private const int ScalarCount = 6;
    private const float BlackLimit = 2,
        WhiteLimit = 253;

    /// <summary>Keeps the logarithm of dark pixels from being ruled by their noise, in grey levels.</summary>
    private const float LogOffset = 8;

    /// <summary>
    /// An image of less contrast is stretched no further, in grey levels: there would only be noise to see.
    /// </summary>
    private const float MinContrast = 1;

    private readonly float[] _vector;

    private ImageTraits(float[] vector) => _vector = vector;

    /// <summary>Mean luma, 0 to 255.</summary>
    public float Brightness => _vector[0];

    /// <summary>
    /// Mean of log2(luma + 8), 3 to 8.04, in stops: an exposure twice as long adds almost 1 where nothing clips.
    /// </summary>
    public float Exposure => _vector[1];

    /// <summary>Share of pixels whose luma is at most 2, 0 to 1.</summary>
    public float BlackShare => _vector[2];

    /// <summary>Share of pixels whose luma is at least 253, 0 to 1.</summary>
    public float WhiteShare => _vector[3];

    /// <summary>Standard deviation of luma, 0 to 127.5.</summary>
    public float Contrast => _vector[4];

    /// <summary>
    /// Fine detail, as <see cref="SharpnessMeasure"/> has it: natural logarithm, independent of exposure and contrast.
    /// </summary>
    public float Sharpness => _vector[5];

    /// <summary>
    /// Luma reduced to shape <c>(32, 32)</c>, row-major, less its mean and divided by its standard deviation: the same
    /// for every exposure that clips nothing.
    /// </summary>
    public ReadOnlySpan<float> Thumbnail => _vector.AsSpan(ScalarCount);

    /// <summary>Measures an image.</summary>
    /// <param name="rgb">Shape <c>(side, side, 3)</c>, row-major, red first, in [0, 255]: resized, neither cropped nor
    /// normalised.</param>
    /// <param name="side">Pixels, at least <see cref="ThumbnailSide"/>.</param>
    /// <exception cref="ArgumentException">The pixels are not as many as the side says, or not finite.</exception>
    public static ImageTraits Measure(ReadOnlySpan<float> rgb, int side)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, ThumbnailSide);
        if (rgb.Length != 3L * side * side)
            throw new ArgumentException(
                $"An RGB image of {side} x {side} has {3L * side * side} values, not {rgb.Length}.",
                nameof(rgb)
            );
        var rented = ArrayPool<float>.Shared.Rent(2 * side * side);
        try
        {
            var luma = rented.AsSpan(0, side * side);
            var scratch = rented.AsSpan(side * side, side * side);
            var vector = new float[VectorLength];
            (vector[2], vector[3]) = ToLuma(rgb, luma);
            vector[0] = TensorPrimitives.Average<float>(luma);
            TensorPrimitives.Add(luma, LogOffset, scratch);
            TensorPrimitives.Log2(scratch, scratch);
            vector[1] = TensorPrimitives.Average<float>(scratch);
            TensorPrimitives.Subtract(luma, vector[0], scratch);
            var variance = TensorPrimitives.SumOfSquares<float>(scratch) / luma.Length;
            vector[4] = MathF.Sqrt(variance);
            vector[5] = SharpnessMeasure.Compute(luma, side, variance);
            ThumbnailFilter.Reduce(luma, side, vector.AsSpan(ScalarCount), ThumbnailSide);
            Standardise(vector.AsSpan(ScalarCount));
            return CreateChecked(vector, nameof(rgb));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    /// <summary>Reads what <see cref="ToVector"/> gave.</summary>
    /// <exception cref="ArgumentException">The wrong length, or a value that is not finite.</exception>
    public static ImageTraits FromVector(ReadOnlySpan<float> vector) =>
        vector.Length == VectorLength
            ? CreateChecked(vector.ToArray(), nameof(vector))
            : throw new ArgumentException($"Traits have {VectorLength} values, not {vector.Length}.", nameof(vector));

    /// <summary>All traits, to be kept; length <see cref="VectorLength"/>.</summary>
    public float[] ToVector() => [.. _vector];

    /// <summary>Writes luma and counts the shares of clipped pixels.</summary>
    private static (float Black, float White) ToLuma(ReadOnlySpan<float> rgb, Span<float> luma)
    {
        Luma.FromRgb(rgb, luma);
        var black = 0;
        var white = 0;
        for (var i = 0; i < luma.Length; i++)
        {
            var value = luma[i];
            black += value <= BlackLimit ? 1 : 0;
            white += value >= WhiteLimit ? 1 : 0;
        }
        return ((float)black / luma.Length, (float)white / luma.Length);
    }

    private static void Standardise(Span<float> thumbnail)
    {
        TensorPrimitives.Subtract(thumbnail, TensorPrimitives.Average<float>(thumbnail), thumbnail);
        var deviation = TensorPrimitives.Norm<float>(thumbnail) / MathF.Sqrt(thumbnail.Length);
        TensorPrimitives.Divide(thumbnail, MathF.Max(deviation, MinContrast), thumbnail);
    }

    private static ImageTraits CreateChecked(float[] vector, string name) =>
        float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(vector))
            ? new ImageTraits(vector)
            : throw new ArgumentException("Traits are finite numbers.", name);
}
