using System.Buffers;
using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.DatasetReview;

/// <summary>
/// Measurements of one training image, which <see cref="TrainingSetReview"/> compares with those of other images when
/// the pixels are no longer in memory: exposure, contrast, sharpness and a thumbnail. The numbers mean little on their
/// own, and are compared within a set of images of one scene. Immutable, thread-safe; about 4 kB.
/// </summary>
public sealed class ImageTraits
{
    /// <summary>The side of the thumbnail, in pixels.</summary>
    public const int ThumbnailSide = 32;

    /// <summary>The length of <see cref="ToVector"/>.</summary>
    public const int VectorLength = ScalarCount + ThumbnailSide * ThumbnailSide;

    private const int ScalarCount = 6;
    private const float BlackLimit = 2,
        WhiteLimit = 253;

    /// <summary>Added before the logarithm, in grey levels, so that noise does not dominate dark pixels.</summary>
    private const float LogOffset = 8;

    /// <summary>
    /// The least standard deviation, in grey levels, that a thumbnail is divided by: with less contrast only noise
    /// would be amplified.
    /// </summary>
    private const float MinContrast = 1;

    private readonly float[] _vector;

    private ImageTraits(float[] vector) => _vector = vector;

    /// <summary>Gets the mean luma, 0 to 255.</summary>
    public float Brightness => _vector[0];

    /// <summary>
    /// Gets the mean of log2(luma + 8), 3 to 8.04, in stops: twice the exposure time adds almost 1 if nothing clips.
    /// </summary>
    public float Exposure => _vector[1];

    /// <summary>Gets the share of pixels with luma of at most 2, 0 to 1.</summary>
    public float BlackShare => _vector[2];

    /// <summary>Gets the share of pixels with luma of at least 253, 0 to 1.</summary>
    public float WhiteShare => _vector[3];

    /// <summary>Gets the standard deviation of luma, 0 to 127.5.</summary>
    public float Contrast => _vector[4];

    /// <summary>
    /// Gets the amount of fine detail by <see cref="SharpnessMeasure"/>: a natural logarithm, independent of exposure
    /// and contrast.
    /// </summary>
    public float Sharpness => _vector[5];

    /// <summary>
    /// Gets the luma reduced to shape <c>(32, 32)</c>, row-major, minus its mean and divided by its standard deviation:
    /// the same for every exposure without clipping.
    /// </summary>
    public ReadOnlySpan<float> Thumbnail => _vector.AsSpan(ScalarCount);

    /// <summary>Measures an image.</summary>
    /// <param name="rgb">Shape <c>(size.Height, size.Width, 3)</c>, row-major, red first, in [0, 255]: resized, without
    /// a border, neither cropped nor normalised.</param>
    /// <param name="size">Rows and columns of the image.</param>
    /// <exception cref="ArgumentException">The number of values does not match the size, or a value is not
    /// finite.</exception>
    public static ImageTraits Measure(ReadOnlySpan<float> rgb, Grid size)
    {
        if (rgb.Length != 3L * size.Positions)
            throw new ArgumentException(
                $"An RGB image with {size.Width} x {size.Height} pixels has {3L * size.Positions} values,"
                    + $" not {rgb.Length}.",
                nameof(rgb)
            );
        var rented = ArrayPool<float>.Shared.Rent(2 * size.Positions);
        try
        {
            var luma = rented.AsSpan(0, size.Positions);
            var scratch = rented.AsSpan(size.Positions, size.Positions);
            var vector = new float[VectorLength];
            (vector[2], vector[3]) = ToLuma(rgb, luma);
            vector[0] = TensorPrimitives.Average<float>(luma);
            TensorPrimitives.Add(luma, LogOffset, scratch);
            TensorPrimitives.Log2(scratch, scratch);
            vector[1] = TensorPrimitives.Average<float>(scratch);
            TensorPrimitives.Subtract(luma, vector[0], scratch);
            var variance = TensorPrimitives.SumOfSquares<float>(scratch) / luma.Length;
            vector[4] = MathF.Sqrt(variance);
            vector[5] = SharpnessMeasure.Compute(luma, size, variance);
            ThumbnailFilter.Reduce(luma, size, vector.AsSpan(ScalarCount), ThumbnailSide);
            Standardise(vector.AsSpan(ScalarCount));
            return CreateChecked(vector, nameof(rgb));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    /// <summary>Creates traits from the result of <see cref="ToVector"/>.</summary>
    /// <exception cref="ArgumentException">The length is wrong, or a value is not finite.</exception>
    public static ImageTraits FromVector(ReadOnlySpan<float> vector) =>
        vector.Length == VectorLength
            ? CreateChecked(vector.ToArray(), nameof(vector))
            : throw new ArgumentException($"Traits have {VectorLength} values, not {vector.Length}.", nameof(vector));

    /// <summary>Returns all traits as one vector for storage, length <see cref="VectorLength"/>.</summary>
    public float[] ToVector() => [.. _vector];

    /// <summary>Converts to luma and returns the shares of clipped pixels.</summary>
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
            : throw new ArgumentException("Traits must be finite numbers.", name);
}
