using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Gauss-Newton on rotation and shift at one size of the template. The image brought into the template's frame is
/// modelled as <c>gain T(D(x)) + offset</c> with a small movement D, whose gradients belong to the template and are
/// computed once (inverse compositional: Baker, Matthews, "Lucas-Kanade 20 years on", IJCV 2004); gain and offset are
/// solved with the movement, as the correlation criterion of Evangelidis and Psarakis (ECC, PAMI 2008) does. Residuals
/// are weighted as draws of Student's t with 5 degrees of freedom (Kerl, Sturm, Cremers, "Robust odometry estimation
/// for RGB-D cameras", ICRA 2013): a missing piece or a black corner counts for little. Immutable, thread-safe.
/// </summary>
internal sealed class RobustRefinement
{
    private const int Unknowns = 5;
    private const double DegreesOfFreedom = 5;

    /// <summary>
    /// The template at this size and its derivatives along x and y and by rotation, each of shape (side, side).
    /// </summary>
    private readonly float[] _plane,
        _alongX,
        _alongY,
        _byAngle;
    private readonly float[] _ones;

    /// <param name="plane">The template, shape <c>(side, side)</c>, grey values.</param>
    /// <param name="side">Pixels.</param>
    public RobustRefinement(float[] plane, int side)
    {
        _plane = plane;
        Side = side;
        _alongX = new float[plane.Length];
        _alongY = new float[plane.Length];
        _byAngle = new float[plane.Length];
        _ones = new float[side];
        Array.Fill(_ones, 1);
        var centre = (side - 1) / 2f;
        for (var y = 1; y < side - 1; y++)
        for (var x = 1; x < side - 1; x++)
        {
            var at = y * side + x;
            _alongX[at] = (plane[at + 1] - plane[at - 1]) / 2;
            _alongY[at] = (plane[at + side] - plane[at - side]) / 2;
            // In pixels at the rim, so that all three unknowns have one unit and one tolerance.
            _byAngle[at] = (_alongY[at] * (x - centre) - _alongX[at] * (y - centre)) / Radius;
        }
    }

    /// <summary>Pixels.</summary>
    public int Side { get; }

    private float Radius => Side / 2f;

    /// <summary>Moves a transform to the nearest best fit. Cost: one pass over the plane a step.</summary>
    /// <param name="image">Shape <c>(side, side)</c>, grey values.</param>
    /// <param name="start">In pixels of this size; within about a pixel at the rim.</param>
    /// <param name="rotates">False keeps the angle.</param>
    /// <param name="steps">At most so many.</param>
    /// <param name="tolerance">Stops when the step is smaller, in pixels of this size.</param>
    public RigidTransform Refine(
        ReadOnlySpan<float> image,
        RigidTransform start,
        bool rotates,
        int steps,
        double tolerance
    )
    {
        var transform = start;
        var light = default(Light?);
        var sums = new double[Unknowns * (Unknowns + 1) / 2 + Unknowns];
        var rows = new Rows(Side);
        for (var step = 0; step < steps; step++)
        {
            light ??= EstimateLight(image, transform, rows);
            if (light is not { Gain: > 0, Variance: > 0 } known)
                return transform;
            Array.Clear(sums);
            var (squares, pixels) = Accumulate(image, transform, known, rows, sums);
            if (pixels == 0 || !TrySolve(sums, rotates))
                return transform;
            var u = sums[^5];
            var v = sums[^4];
            var w = sums[^3];
            var gain = sums[^2];
            var offset = sums[^1];
            if (!(gain > 0))
                return transform;
            light = new Light(gain, offset, squares / pixels);
            var movement = new RigidTransform(w / gain / Radius, u / gain, v / gain);
            transform = movement.Inverse().Then(transform);
            if (Math.Abs(u) + Math.Abs(v) + Math.Abs(w) < tolerance * gain)
                return transform;
        }
        return transform;
    }

    /// <summary>Gain and offset by means and standard deviations, where nothing is known yet.</summary>
    private Light EstimateLight(ReadOnlySpan<float> image, RigidTransform transform, Rows rows)
    {
        double n = 0,
            sumT = 0,
            sumI = 0,
            squareT = 0,
            squareI = 0;
        for (var y = 0; y < Side; y++)
        {
            n += SampleRow(image, transform, y, rows);
            var template = _plane.AsSpan(y * Side, Side);
            TensorPrimitives.Multiply(template, rows.Weight, rows.Column);
            sumT += TensorPrimitives.Sum<float>(rows.Column);
            squareT += TensorPrimitives.Dot(rows.Column, template);
            sumI += TensorPrimitives.Sum<float>(rows.Image);
            squareI += TensorPrimitives.SumOfSquares<float>(rows.Image);
        }
        if (n == 0)
            return default;
        var varianceT = squareT / n - sumT / n * (sumT / n);
        var varianceI = squareI / n - sumI / n * (sumI / n);
        // Float sums leave a trace of variance on a constant plane.
        if (varianceT < 1e-2 || varianceI < 1e-2)
            return default;
        var gain = Math.Sqrt(varianceI / varianceT);
        return new Light(gain, (sumI - gain * sumT) / n, varianceI);
    }

    /// <summary>The weighted normal equations of (shift x, shift y, rotation, gain, offset), row by row.</summary>
    private (double Squares, double Pixels) Accumulate(
        ReadOnlySpan<float> image,
        RigidTransform transform,
        Light light,
        Rows rows,
        double[] sums
    )
    {
        double squares = 0,
            pixels = 0;
        for (var y = 0; y < Side; y++)
        {
            var seen = SampleRow(image, transform, y, rows);
            if (seen == 0)
                continue;
            pixels += seen;
            var range = y * Side;
            // residual = I - gain T - offset; weight = inside (nu + 1) / (nu + residual^2 / variance).
            TensorPrimitives.MultiplyAdd(_plane.AsSpan(range, Side), (float)-light.Gain, rows.Image, rows.Column);
            TensorPrimitives.Subtract(rows.Column, (float)light.Offset, rows.Column);
            TensorPrimitives.Multiply(rows.Column, rows.Column, rows.Column);
            TensorPrimitives.Divide(rows.Column, (float)(light.Variance * DegreesOfFreedom), rows.Divisor);
            TensorPrimitives.Add(rows.Divisor, 1f, rows.Divisor);
            TensorPrimitives.Divide(rows.Weight, rows.Divisor, rows.Weight);
            TensorPrimitives.Multiply(rows.Weight, (float)((DegreesOfFreedom + 1) / DegreesOfFreedom), rows.Weight);
            squares += TensorPrimitives.Dot(rows.Weight, rows.Column);
            for (int i = 0, at = 0; i < Unknowns; i++)
            {
                TensorPrimitives.Multiply(rows.Weight, GetColumn(i, range), rows.Column);
                for (var j = i; j < Unknowns; j++)
                    sums[at++] += TensorPrimitives.Dot(rows.Column, GetColumn(j, range));
                sums[Unknowns * (Unknowns + 1) / 2 + i] += TensorPrimitives.Dot(rows.Column, rows.Image);
            }
        }
        return (squares, pixels);
    }

    private ReadOnlySpan<float> GetColumn(int unknown, int start) =>
        unknown switch
        {
            0 => _alongX.AsSpan(start, Side),
            1 => _alongY.AsSpan(start, Side),
            2 => _byAngle.AsSpan(start, Side),
            3 => _plane.AsSpan(start, Side),
            _ => _ones,
        };

    /// <summary>
    /// One row of the image in the template's frame, and weights: 1 inside the image, 0 outside, where the value is 0
    /// as well.
    /// </summary>
    /// <returns>Pixels inside.</returns>
    private int SampleRow(ReadOnlySpan<float> image, RigidTransform transform, int y, Rows rows)
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var (startX, startY) = transform.Map(0, y, Side);
        var last = Side - 1;
        var seen = 0;
        for (var x = 0; x < Side; x++)
        {
            var px = startX + cos * x;
            var py = startY + sin * x;
            if (!(px >= 0 && py >= 0 && px < last && py < last))
            {
                rows.Image[x] = 0;
                rows.Weight[x] = 0;
                continue;
            }
            var ix = (int)px;
            var iy = (int)py;
            var sx = (float)(px - ix);
            var sy = (float)(py - iy);
            var above = image.Slice(iy * Side + ix, 2);
            var below = image.Slice((iy + 1) * Side + ix, 2);
            var top = above[0] + (above[1] - above[0]) * sx;
            var bottom = below[0] + (below[1] - below[0]) * sx;
            rows.Image[x] = top + (bottom - top) * sy;
            rows.Weight[x] = 1;
            seen++;
        }
        return seen;
    }

    /// <summary>
    /// Cholesky in place: the upper triangle by rows, then the right-hand side, whose place the solution takes.
    /// </summary>
    private static bool TrySolve(double[] sums, bool rotates)
    {
        const int n = Unknowns;
        var matrix = new double[n, n];
        for (int i = 0, at = 0; i < n; i++)
        for (var j = i; j < n; j++)
            matrix[i, j] = matrix[j, i] = sums[at++];
        var right = sums.AsSpan(n * (n + 1) / 2, n);
        // Damped: on a part of rotational symmetry nothing but noise determines the rotation, and an undamped step
        // would follow it far.
        matrix[2, 2] += 1e-3 * (matrix[0, 0] + matrix[1, 1]);
        if (!rotates)
        {
            for (var j = 0; j < n; j++)
                matrix[2, j] = matrix[j, 2] = j == 2 ? 1 : 0;
            right[2] = 0;
        }
        for (var k = 0; k < n; k++)
        {
            var pivot = matrix[k, k];
            for (var m = 0; m < k; m++)
                pivot -= matrix[k, m] * matrix[k, m];
            if (!(pivot > 1e-9 * matrix[k, k]))
                return false;
            matrix[k, k] = Math.Sqrt(pivot);
            for (var i = k + 1; i < n; i++)
            {
                var sum = matrix[i, k];
                for (var m = 0; m < k; m++)
                    sum -= matrix[i, m] * matrix[k, m];
                matrix[i, k] = sum / matrix[k, k];
            }
        }
        for (var i = 0; i < n; i++)
        {
            for (var m = 0; m < i; m++)
                right[i] -= matrix[i, m] * right[m];
            right[i] /= matrix[i, i];
        }
        for (var i = n - 1; i >= 0; i--)
        {
            for (var m = i + 1; m < n; m++)
                right[i] -= matrix[m, i] * right[m];
            right[i] /= matrix[i, i];
        }
        return true;
    }

    /// <summary>How the image's grey values follow the template's, and the variance of what is left.</summary>
    private readonly record struct Light(double Gain, double Offset, double Variance);

    /// <summary>Scratch of one refinement.</summary>
    private sealed class Rows(int side)
    {
        public float[] Image { get; } = new float[side];
        public float[] Weight { get; } = new float[side];
        public float[] Column { get; } = new float[side];
        public float[] Divisor { get; } = new float[side];
    }
}
