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
        var sampled = new SampledRows(transform, Size);
        for (var y = 0; y < Size.Height; y++)
        {
            var (first, end) = SampleRow(image, sampled[y], rows);
            var seen = rows.Image.AsSpan(first, end - first);
            var template = _plane.AsSpan(y * Size.Width + first, end - first);
            n += seen.Length;
            sumT += TensorPrimitives.Sum<float>(template);
            squareT += TensorPrimitives.SumOfSquares<float>(template);
            sumI += TensorPrimitives.Sum<float>(seen);
            squareI += TensorPrimitives.SumOfSquares<float>(seen);
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
        var pixels = 0;
        var equations = new WeightedEquations(
            (float)light.Gain,
            (float)light.Offset,
            (float)(1 / (light.Variance * DegreesOfFreedom))
        );
        var sampled = new SampledRows(transform, Size);
        for (var y = 0; y < Size.Height; y++)
        {
            var (first, end) = SampleRow(image, sampled[y], rows);
            pixels += end - first;
            var at = y * Size.Width + first;
            var count = end - first;
            equations.Add(
                rows.Image.AsSpan(first, count),
                _plane.AsSpan(at, count),
                _alongX.AsSpan(at, count),
                _alongY.AsSpan(at, count),
                _byAngle.AsSpan(at, count)
            );
        }
        // The weights of Student's t are (nu + 1) / nu times those that were summed.
        const double Factor = (DegreesOfFreedom + 1) / DegreesOfFreedom;
        for (var i = 0; i < sums.Length; i++)
            sums[i] = Factor * equations.Sums[i];
        return (Factor * equations.Squares, pixels);
    }

    /// <summary>Samples one row of the image in the template's frame.</summary>
    /// <returns>The pixels that the image covers, from the first to before the end.</returns>
    private (int First, int End) SampleRow(ReadOnlySpan<float> image, SampledRow row, Rows rows)
    {
        var (first, end) = row.FindInside(Size.Width, Size);
        row.Sample(image, Size.Width, first, end, rows.Image);
        return (first, end);
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
    }
}
