using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Tries every rotation and shift of the search range on a plane of at most 48 pixels: correlates the gradient fields
/// of the image and of the rotated templates. The correlation is not normalised by the overlap, so for a repeated
/// pattern the nearest match wins. At this size plain sums cost less than a padded Fourier transform, and do not wrap
/// around. Immutable, thread-safe.
/// </summary>
internal sealed class CoarseSearch
{
    private const int MaxSide = 48;
    private const double AngleStep = 2.5 * Math.PI / 180;

    private readonly int _maxShift;
    private readonly int _stride;
    private readonly double[] _angles;
    private readonly float[][] _rotatedTemplates;

    /// <summary>Rotates the template once by every angle.</summary>
    /// <param name="template">Shape <c>(side, side)</c>, grey values.</param>
    /// <param name="side">Side of the template, in pixels.</param>
    /// <param name="maxAngle">Largest angle in either direction, in radians.</param>
    /// <param name="maxShift">Largest shift in either direction, as a share of the side.</param>
    public CoarseSearch(ReadOnlySpan<float> template, int side, double maxAngle, double maxShift)
    {
        Side = Math.Min(side, MaxSide);
        _maxShift = (int)Math.Ceiling(Side * maxShift);
        // See Pad: each row ends in as many zeros as the largest shift.
        _stride = Side + _maxShift;
        // The tolerance keeps an exact multiple of the step, such as 15 degrees, from being rounded down.
        var steps = (int)Math.Floor(maxAngle / AngleStep + 1e-9);
        _angles = [.. Enumerable.Range(-steps, 2 * steps + 1).Select(i => i * AngleStep)];
        _rotatedTemplates = new float[_angles.Length][];
        var plane = new float[side * side];
        for (var k = 0; k < _angles.Length; k++)
        {
            // Rotated into the frame of the image: pixel p of the result is sampled at the template's point for p.
            var back = new RigidTransform(-_angles[k], 0, 0);
            for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var (px, py) = back.Map(x, y, side);
                plane[y * side + x] = Warping.Sample(template, px, py, side);
            }
            _rotatedTemplates[k] = Pad(GradientField.FromPlane(PlaneReduction.Reduce(plane, side, Side), Side), back);
        }
    }

    /// <summary>Gets the side of the planes that are compared, in pixels.</summary>
    public int Side { get; }

    /// <summary>
    /// Finds the best shift for every rotation, highest score first, and the smaller rotation first among equals.
    /// Shifts are in pixels of <see cref="Side"/>.
    /// </summary>
    public (RigidTransform Transform, float Score)[] FindCandidates(GradientField image)
    {
        var padded = Pad(image, RigidTransform.Identity);
        var best = new (RigidTransform Transform, float Score)[_angles.Length];
        for (var k = 0; k < _angles.Length; k++)
        {
            best[k] = (RigidTransform.Identity, float.NegativeInfinity);
            for (var dy = -_maxShift; dy <= _maxShift; dy++)
            for (var dx = -_maxShift; dx <= _maxShift; dx++)
            {
                // Two values per pixel, so a shift by (dx, dy) is one offset into the flat arrays.
                var score = Correlate(_rotatedTemplates[k], padded, 2 * (dy * _stride + dx));
                if (score > best[k].Score)
                    best[k] = (new RigidTransform(_angles[k], dx, dy), score);
            }
        }
        return
        [
            .. best.OrderByDescending(candidate => candidate.Score)
                .ThenBy(candidate => Math.Abs(candidate.Transform.Angle)),
        ];
    }

    /// <summary>
    /// Copies a field into rows that end in zeros, as many as the largest shift. A shift along both axes is then one
    /// offset, and the part of a row that is shifted past the edge is multiplied by zeros.
    /// </summary>
    /// <param name="field">Shape <c>(Side, Side, 2)</c>.</param>
    /// <param name="source">The transform that the pixels were sampled with: those from outside of the plane show no
    /// edge of the part and stay 0.</param>
    private float[] Pad(GradientField field, RigidTransform source)
    {
        var padded = new float[2 * Side * _stride];
        for (var y = 0; y < Side; y++)
        for (var x = 0; x < Side; x++)
        {
            var (px, py) = source.Map(x, y, Side);
            // The gradient needs all eight neighbours: one pixel of margin, less a little for rounding.
            if (Math.Min(px, py) < 0.9 || Math.Max(px, py) > Side - 1.9)
                continue;
            field.Values.AsSpan(2 * (y * Side + x), 2).CopyTo(padded.AsSpan(2 * (y * _stride + x)));
        }
        return padded;
    }

    /// <summary>Computes the dot product of the template with the image shifted by an offset.</summary>
    private static float Correlate(ReadOnlySpan<float> template, ReadOnlySpan<float> image, int offset) =>
        offset >= 0
            ? TensorPrimitives.Dot(template[..^offset], image[offset..])
            : TensorPrimitives.Dot(template[-offset..], image[..^-offset]);
}
