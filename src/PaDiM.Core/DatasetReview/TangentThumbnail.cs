using System.Numerics.Tensors;

namespace PaDiM.Core.DatasetReview;

/// <summary>
/// A thumbnail with its derivatives, for the tangent distance (Simard, LeCun, Denker, 1993), which ignores small
/// shifts: to first order a shift adds a combination of the derivatives along x and y, and the best combination is
/// subtracted from the difference before it is measured.
/// </summary>
internal sealed class TangentThumbnail
{
    /// <summary>The distance of identical thumbnails, whose logarithm is finite.</summary>
    public const double MinDistance = 1e-6;

    private const int Side = ImageTraits.ThumbnailSide;

    /// <summary>
    /// Gets central differences of sixth order. The short stencil, (f(x + 1) - f(x - 1)) / 2, underestimates sharp
    /// edges: a copy that is shifted by half a pixel would be no nearer than another part.
    /// </summary>
    private static ReadOnlySpan<float> Stencil => [3 / 4f, -3 / 20f, 1 / 60f];

    private readonly float[] _values,
        _alongX,
        _alongY;

    /// <summary>Computes the derivatives of a thumbnail.</summary>
    /// <param name="thumbnail">Shape <c>(32, 32)</c>, row-major, with mean 0.</param>
    public TangentThumbnail(ReadOnlySpan<float> thumbnail)
    {
        _values = thumbnail.ToArray();
        _alongX = Differentiate(1, 0);
        _alongY = Differentiate(0, 1);
    }

    /// <summary>
    /// Computes the natural logarithm of the root mean square of a - b - s (a + b)_x - t (a + b)_y at the best (s, t),
    /// as a share of the contrast. Symmetric except for rounding.
    /// </summary>
    public double ComputeLogDistance(TangentThumbnail other, Buffers buffers)
    {
        var difference = buffers.Difference;
        var x = buffers.AlongX;
        var y = buffers.AlongY;
        TensorPrimitives.Subtract(_values, other._values, difference);
        TensorPrimitives.Add(_alongX, other._alongX, x);
        TensorPrimitives.Add(_alongY, other._alongY, y);
        RemoveDirection(difference, x);
        RemoveDirection(y, x);
        RemoveDirection(difference, y);
        return Math.Log(Math.Max(MinDistance, TensorPrimitives.Norm<float>(difference) / Side));
    }

    private float[] Differentiate(int stepX, int stepY)
    {
        var result = new float[_values.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var x = i % Side;
            var y = i / Side;
            for (var k = 1; k <= Stencil.Length; k++)
                result[i] +=
                    Stencil[k - 1]
                    * (GetClamped(x + k * stepX, y + k * stepY) - GetClamped(x - k * stepX, y - k * stepY));
        }
        // Every thumbnail has mean 0, whatever a shift moves into view, so the change by a shift has mean 0 too.
        TensorPrimitives.Subtract(result, TensorPrimitives.Average<float>(result), result);
        return result;
    }

    /// <summary>Gets the value of a pixel; outside of the image, that of the nearest one.</summary>
    private float GetClamped(int x, int y) => _values[Math.Clamp(y, 0, Side - 1) * Side + Math.Clamp(x, 0, Side - 1)];

    /// <summary>Removes a direction from a vector (one step of Gram-Schmidt).</summary>
    private static void RemoveDirection(float[] vector, float[] direction)
    {
        var square = TensorPrimitives.SumOfSquares<float>(direction);
        // A thumbnail without edges along an axis has no direction to remove.
        if (square > MinDistance)
            TensorPrimitives.MultiplyAdd(
                direction,
                -TensorPrimitives.Dot<float>(vector, direction) / square,
                vector,
                vector
            );
    }

    /// <summary>The buffers of one comparison at a time.</summary>
    internal sealed class Buffers
    {
        public float[] Difference { get; } = new float[Side * Side];

        public float[] AlongX { get; } = new float[Side * Side];

        public float[] AlongY { get; } = new float[Side * Side];
    }
}
