using System.Numerics.Tensors;

namespace PaDiM.Core.Training;

/// <summary>
/// A thumbnail with its derivatives, for a distance that overlooks small shifts: the tangent distance (Simard, LeCun, Denker, 1993). To first
/// order a shift adds a combination of the derivatives along x and y; the best one is taken out of the difference before it is measured.
/// </summary>
internal sealed class ShiftedThumbnail
{
    /// <summary>Identical thumbnails have this distance, so that its logarithm is finite.</summary>
    public const double SmallestDistance = 1e-6;

    private const int Side = ImageTraits.ThumbnailSide;
    private readonly float[] values, alongX, alongY;

    /// <summary>Derives a thumbnail.</summary>
    /// <param name="thumbnail">Shape <c>(32, 32)</c>, row-major, of mean 0.</param>
    public ShiftedThumbnail(ReadOnlySpan<float> thumbnail)
    {
        values = thumbnail.ToArray();
        alongX = new float[values.Length];
        alongY = new float[values.Length];
        for (var y = 0; y < Side; y++)
        {
            for (var x = 0; x < Side; x++)
            {
                alongX[y * Side + x] = values[y * Side + Math.Min(x + 1, Side - 1)] - values[y * Side + Math.Max(x - 1, 0)];
                alongY[y * Side + x] = values[Math.Min(y + 1, Side - 1) * Side + x] - values[Math.Max(y - 1, 0) * Side + x];
            }
        }
        // Thumbnails have mean 0 whatever moved into view, and so must the change that a shift makes.
        TensorPrimitives.Subtract(alongX, TensorPrimitives.Average<float>(alongX), alongX);
        TensorPrimitives.Subtract(alongY, TensorPrimitives.Average<float>(alongY), alongY);
    }

    /// <summary>
    /// Natural logarithm of the root mean square of min over (s, t) of a - b - s (a + b)_x - t (a + b)_y, in shares of the contrast; the same in
    /// both directions but for rounding.
    /// </summary>
    public double LogDistanceTo(ShiftedThumbnail other, Buffers buffers)
    {
        var (difference, x, y) = (buffers.Difference, buffers.AlongX, buffers.AlongY);
        TensorPrimitives.Subtract(values, other.values, difference);
        TensorPrimitives.Add(alongX, other.alongX, x);
        TensorPrimitives.Add(alongY, other.alongY, y);
        RemoveDirection(difference, x);
        RemoveDirection(y, x);
        RemoveDirection(difference, y);
        return Math.Log(Math.Max(SmallestDistance, TensorPrimitives.Norm<float>(difference) / Side));
    }

    /// <summary>Takes what lies along a direction out of a vector (one step of Gram and Schmidt).</summary>
    private static void RemoveDirection(float[] vector, float[] direction)
    {
        var square = TensorPrimitives.SumOfSquares<float>(direction);
        if (square > SmallestDistance) TensorPrimitives.MultiplyAdd(direction, -TensorPrimitives.Dot<float>(vector, direction) / square, vector, vector);
    }

    /// <summary>Room for one comparison at a time.</summary>
    internal sealed class Buffers
    {
        public float[] Difference { get; } = new float[Side * Side];

        public float[] AlongX { get; } = new float[Side * Side];

        public float[] AlongY { get; } = new float[Side * Side];
    }
}
