using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Gauss-Newton on rotation and shift at one size of the template. The image in the template's frame is modelled as
/// <c>gain T(D(x)) + offset</c> with a small movement D. Its gradients are those of the template and are computed once
/// (inverse compositional: Baker, Matthews, "Lucas-Kanade 20 years on", IJCV 2004). Gain and offset are solved together
/// with the movement, as in the correlation criterion of Evangelidis and Psarakis (ECC, PAMI 2008). Residuals are
/// weighted as draws of Student's t distribution with 5 degrees of freedom (Kerl, Sturm, Cremers, "Robust odometry
/// estimation for RGB-D cameras", ICRA 2013): a missing piece or a black corner has little weight. Immutable,
/// thread-safe.
/// </summary>
internal sealed class RobustRefinement
{
    /// <summary>Shift along x, shift along y, rotation, gain and offset, in this order.</summary>
    private const int Unknowns = 5;

    private const double DegreesOfFreedom = 5;

    /// <summary>
    /// The template at this size, and its derivatives along x, along y and by the angle; shape <c>(height, width)</c>
    /// each.
    /// </summary>
    private readonly float[] _plane,
        _alongX,
        _alongY,
        _byAngle;
    private readonly float[] _ones;

    /// <summary>Prepares a template.</summary>
    /// <param name="plane">The template, shape <c>(height, width)</c>, grey values.</param>
    /// <param name="size">Rows and columns of the template.</param>
    public RobustRefinement(float[] plane, Grid size)
    {
        _plane = plane;
        Size = size;
        _alongX = new float[plane.Length];
        _alongY = new float[plane.Length];
        _byAngle = new float[plane.Length];
        _ones = new float[size.Width];
        Array.Fill(_ones, 1);
        var centreX = (size.Width - 1) / 2f;
        var centreY = (size.Height - 1) / 2f;
        for (var y = 1; y < size.Height - 1; y++)
        for (var x = 1; x < size.Width - 1; x++)
        {
            // Central differences.
            var at = y * size.Width + x;
            _alongX[at] = (plane[at + 1] - plane[at - 1]) / 2;
            _alongY[at] = (plane[at + size.Width] - plane[at - size.Width]) / 2;
            // Rotation in pixels at the rim, so that all three unknowns have the same unit and the same tolerance.
            _byAngle[at] = (_alongY[at] * (x - centreX) - _alongX[at] * (y - centreY)) / Radius;
        }
    }

    /// <summary>Gets the rows and columns of the template.</summary>
    public Grid Size { get; }

    private float Radius => Math.Max(Size.Height, Size.Width) / 2f;

    /// <summary>Refines a transform to the nearest best fit. Cost: one pass over the plane per step.</summary>
    /// <param name="image">Shape <c>(height, width)</c>, grey values.</param>
    /// <param name="start">The first estimate, in pixels of this size; within about a pixel of the fit at the
    /// rim.</param>
    /// <param name="rotates">False to keep the angle.</param>
    /// <param name="steps">Largest number of steps.</param>
    /// <param name="tolerance">Size of a step, in pixels of this size, below which the refinement ends.</param>
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
        // The upper triangle of the normal equations by rows, then their right-hand side.
        var sums = new double[Unknowns * (Unknowns + 1) / 2 + Unknowns];
        var rows = new Rows(Size.Width);
        for (var step = 0; step < steps; step++)
        {
            light ??= EstimateLight(image, transform, rows);
            if (light is not { Gain: > 0, Variance: > 0 } known)
                return transform;
            Array.Clear(sums);
            var (squares, pixels) = Accumulate(image, transform, known, rows, sums);
            if (pixels == 0 || !TrySolve(sums, rotates))
                return transform;
            // TrySolve left the solution in place of the right-hand side. The derivatives are those of gain * T, so the
            // movement is a solution over the gain.
            var shiftX = sums[^5];
            var shiftY = sums[^4];
            var rotation = sums[^3];
            var gain = sums[^2];
            var offset = sums[^1];
            if (!(gain > 0))
                return transform;
            light = new Light(gain, offset, squares / pixels);
            var movement = new RigidTransform(rotation / gain / Radius, shiftX / gain, shiftY / gain);
            // Inverse compositional: the movement belongs to the template, so its inverse comes first.
            transform = movement.Inverse().Then(transform);
            if (Math.Abs(shiftX) + Math.Abs(shiftY) + Math.Abs(rotation) < tolerance * gain)
                return transform;
        }
        return transform;
    }

    /// <summary>Estimates gain and offset from means and standard deviations, before the first step.</summary>
    private Light EstimateLight(ReadOnlySpan<float> image, RigidTransform transform, Rows rows)
    {
        double n = 0,
            sumT = 0,
            sumI = 0,
            squareT = 0,
            squareI = 0;
        for (var y = 0; y < Size.Height; y++)
        {
            n += SampleRow(image, transform, y, rows);
            var template = _plane.AsSpan(y * Size.Width, Size.Width);
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
        // Rounding of float sums leaves some variance on a constant plane.
        if (varianceT < 1e-2 || varianceI < 1e-2)
            return default;
        var gain = Math.Sqrt(varianceI / varianceT);
        return new Light(gain, (sumI - gain * sumT) / n, varianceI);
    }

    /// <summary>
    /// Sums the weighted normal equations of (shift x, shift y, rotation, gain, offset), row by row of the image.
    /// </summary>
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
        for (var y = 0; y < Size.Height; y++)
        {
            var seen = SampleRow(image, transform, y, rows);
            if (seen == 0)
                continue;
            pixels += seen;
            var range = y * Size.Width;
            // Column = residual^2 with residual = I - gain T - offset.
            // Weight = inside (nu + 1) / (nu + residual^2 / variance), nu the degrees of freedom.
            TensorPrimitives.MultiplyAdd(_plane.AsSpan(range, Size.Width), (float)-light.Gain, rows.Image, rows.Column);
            TensorPrimitives.Subtract(rows.Column, (float)light.Offset, rows.Column);
            TensorPrimitives.Multiply(rows.Column, rows.Column, rows.Column);
            TensorPrimitives.Divide(rows.Column, (float)(light.Variance * DegreesOfFreedom), rows.Divisor);
            TensorPrimitives.Add(rows.Divisor, 1f, rows.Divisor);
            TensorPrimitives.Divide(rows.Weight, rows.Divisor, rows.Weight);
            TensorPrimitives.Multiply(rows.Weight, (float)((DegreesOfFreedom + 1) / DegreesOfFreedom), rows.Weight);
            squares += TensorPrimitives.Dot(rows.Weight, rows.Column);
            for (int i = 0, at = 0; i < Unknowns; i++)
            {
                // Entry (i, j) of J^T W J, and entry i of J^T W I, for the columns of the Jacobian J.
                TensorPrimitives.Multiply(rows.Weight, GetColumn(i, range), rows.Column);
                for (var j = i; j < Unknowns; j++)
                    sums[at++] += TensorPrimitives.Dot(rows.Column, GetColumn(j, range));
                sums[Unknowns * (Unknowns + 1) / 2 + i] += TensorPrimitives.Dot(rows.Column, rows.Image);
            }
        }
        return (squares, pixels);
    }

    /// <summary>Gets a row's part of the Jacobian's column for an unknown.</summary>
    private ReadOnlySpan<float> GetColumn(int unknown, int start) =>
        unknown switch
        {
            0 => _alongX.AsSpan(start, Size.Width),
            1 => _alongY.AsSpan(start, Size.Width),
            2 => _byAngle.AsSpan(start, Size.Width),
            3 => _plane.AsSpan(start, Size.Width),
            _ => _ones,
        };

    /// <summary>
    /// Samples one row of the image in the template's frame. Weights are 1 inside of the image and 0 outside, where
    /// values are 0 too.
    /// </summary>
    /// <returns>Number of pixels inside.</returns>
    private int SampleRow(ReadOnlySpan<float> image, RigidTransform transform, int y, Rows rows)
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var (startX, startY) = transform.Map(0, y, Size);
        var (lastX, lastY) = (Size.Width - 1, Size.Height - 1);
        var seen = 0;
        for (var x = 0; x < Size.Width; x++)
        {
            var px = startX + cos * x;
            var py = startY + sin * x;
            if (!(px >= 0 && py >= 0 && px < lastX && py < lastY))
            {
                rows.Image[x] = 0;
                rows.Weight[x] = 0;
                continue;
            }
            // Bilinear interpolation between four pixels, whose indices are all in range.
            var ix = (int)px;
            var iy = (int)py;
            var sx = (float)(px - ix);
            var sy = (float)(py - iy);
            var above = image.Slice(iy * Size.Width + ix, 2);
            var below = image.Slice((iy + 1) * Size.Width + ix, 2);
            var top = above[0] + (above[1] - above[0]) * sx;
            var bottom = below[0] + (below[1] - below[0]) * sx;
            rows.Image[x] = top + (bottom - top) * sy;
            rows.Weight[x] = 1;
            seen++;
        }
        return seen;
    }

    /// <summary>
    /// Solves the normal equations by a Cholesky factorisation; the solution replaces the right-hand side.
    /// </summary>
    /// <returns>False if the equations are singular.</returns>
    private static bool TrySolve(double[] sums, bool rotates)
    {
        const int n = Unknowns;
        var matrix = new double[n, n];
        for (int i = 0, at = 0; i < n; i++)
        for (var j = i; j < n; j++)
            matrix[i, j] = matrix[j, i] = sums[at++];
        var right = sums.AsSpan(n * (n + 1) / 2, n);
        // Damped rotation: for a part with rotational symmetry only noise determines it, and an undamped step would go
        // far.
        matrix[2, 2] += 1e-3 * (matrix[0, 0] + matrix[1, 1]);
        if (!rotates)
        {
            // Replaces the equation of the rotation by rotation = 0.
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
        // L z = right, then L^T x = z.
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

    /// <summary>The image's grey values as gain * template + offset, and the variance of the residual.</summary>
    private readonly record struct Light(double Gain, double Offset, double Variance);

    /// <summary>The buffers of one refinement, for one row of the image.</summary>
    private sealed class Rows(int width)
    {
        public float[] Image { get; } = new float[width];
        public float[] Weight { get; } = new float[width];
        public float[] Column { get; } = new float[width];
        public float[] Divisor { get; } = new float[width];
    }
}
