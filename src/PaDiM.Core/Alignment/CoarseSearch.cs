using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Every rotation and shift of the search range on a plane of at most 48 pixels: the correlation of the gradient fields
/// of the image and of the turned templates. It is not normalised by the overlap, so of the places where a repeated
/// pattern fits, the nearest wins. At this size the plain sums cost less than a padded Fourier transform and know no
/// wrapping. Immutable, thread-safe.
/// </summary>
internal sealed class CoarseSearch
{
    private const int MaxSide = 48;
    private const double AngleStep = 2.5 * Math.PI / 180;

    private readonly int _maxShift;
    private readonly int _stride;
    private readonly double[] _angles;
    private readonly float[][] _rotatedTemplates;

    /// <summary>Turns the template once to every rotation.</summary>
    /// <param name="template">Shape <c>(side, side)</c>, grey values.</param>
    /// <param name="side">Pixels.</param>
    /// <param name="largestAngle">Radians, either way.</param>
    /// <param name="largestShift">A share of the side, either way.</param>
    public CoarseSearch(ReadOnlySpan<float> template, int side, double largestAngle, double largestShift)
    {
        Side = Math.Min(side, MaxSide);
        _maxShift = (int)Math.Ceiling(Side * largestShift);
        _stride = Side + _maxShift;
        var steps = (int)Math.Floor(largestAngle / AngleStep + 1e-9);
        _angles = [.. Enumerable.Range(-steps, 2 * steps + 1).Select(i => i * AngleStep)];
        _rotatedTemplates = new float[_angles.Length][];
        var plane = new float[side * side];
        for (var k = 0; k < _angles.Length; k++)
        {
            // The turned template lies in the frame of the image.
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

    /// <summary>Pixels of the planes that are compared.</summary>
    public int Side { get; }

    /// <summary>
    /// The best shift of every rotation, best first; of equals the smaller rotation. Shifts are in pixels of <see
    /// cref="Side"/>.
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
    /// The field in rows that end in zeros, as many as the largest shift: a shift along both axes is then one offset,
    /// and the part of a row that it pushes over the edge meets zeros.
    /// </summary>
    /// <param name="field">Shape <c>(Side, Side, 2)</c>.</param>
    /// <param name="source">Where the pixels were taken from: those from beyond the edge hold no edge of the
    /// part.</param>
    private float[] Pad(GradientField field, RigidTransform source)
    {
        var padded = new float[2 * Side * _stride];
        for (var y = 0; y < Side; y++)
        for (var x = 0; x < Side; x++)
        {
            var (px, py) = source.Map(x, y, Side);
            if (Math.Min(px, py) < 0.9 || Math.Max(px, py) > Side - 1.9)
                continue;
            field.Values.AsSpan(2 * (y * Side + x), 2).CopyTo(padded.AsSpan(2 * (y * _stride + x)));
        }
        return padded;
    }

    private static float Correlate(ReadOnlySpan<float> template, ReadOnlySpan<float> image, int offset) =>
        offset >= 0
            ? TensorPrimitives.Dot(template[..^offset], image[offset..])
            : TensorPrimitives.Dot(template[-offset..], image[..^-offset]);
}
