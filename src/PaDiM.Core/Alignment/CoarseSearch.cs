using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Tries every rotation and shift of the search range on a plane of at most 48 x 48 pixels, or as many in another shape: correlates the gradient fields
/// of the image and of the rotated templates. The correlation is not normalised by the overlap, so for a repeated
/// pattern the nearest match wins. At this size plain sums cost less than a padded Fourier transform, and do not wrap
/// around. Immutable, thread-safe.
/// </summary>
internal sealed class CoarseSearch
{
    private const double MaxSide = 48;
    private const double AngleStep = 2.5 * Math.PI / 180;

    private readonly int _maxShiftX,
        _maxShiftY;
    private readonly int _stride;
    private readonly double[] _angles;
    private readonly float[][] _rotatedTemplates;

    /// <summary>Rotates the template once by every angle.</summary>
    /// <param name="template">Shape <c>(size.Height, size.Width)</c>, grey values.</param>
    /// <param name="size">Rows and columns of the template.</param>
    /// <param name="side">Side of a square with as many pixels.</param>
    /// <param name="maxAngle">Largest angle in either direction, in radians.</param>
    /// <param name="maxShift">Largest shift in either direction, as a share of each side.</param>
    public CoarseSearch(ReadOnlySpan<float> template, Grid size, double side, double maxAngle, double maxShift)
    {
        Side = Math.Min(side, MaxSide);
        var ratio = side / Side;
        Size = PlaneReduction.GetSize(size, ratio);
        _maxShiftX = (int)Math.Ceiling(Size.Width * maxShift);
        _maxShiftY = (int)Math.Ceiling(Size.Height * maxShift);
        // See Pad: each row ends in as many zeros as the largest shift.
        _stride = Size.Width + _maxShiftX;
        // The tolerance keeps an exact multiple of the step, such as 15 degrees, from being rounded down.
        var steps = (int)Math.Floor(maxAngle / AngleStep + 1e-9);
        _angles = [.. Enumerable.Range(-steps, 2 * steps + 1).Select(i => i * AngleStep)];
        _rotatedTemplates = new float[_angles.Length][];
        var plane = new float[size.Positions];
        for (var k = 0; k < _angles.Length; k++)
        {
            // Rotated into the frame of the image: pixel p of the result is sampled at the template's point for p.
            var back = new RigidTransform(-_angles[k], 0, 0);
            for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
            {
                var (px, py) = back.Map(x, y, size);
                plane[y * size.Width + x] = Bilinear.Sample(template, px, py, size);
            }
            _rotatedTemplates[k] = Pad(GradientField.FromPlane(PlaneReduction.Reduce(plane, size, ratio), Size), back);
        }
    }

    /// <summary>Gets the side of a square with as many pixels as the planes that are compared.</summary>
    public double Side { get; }

    /// <summary>Gets the rows and columns of the planes that are compared.</summary>
    public Grid Size { get; }

    /// <summary>
    /// Finds the best shift for every rotation, highest score first, and the smaller rotation first among equals.
    /// Shifts are in pixels of <see cref="Size"/>.
    /// </summary>
    public (RigidTransform Transform, float Score)[] FindCandidates(GradientField image)
    {
        // Zeros before and after the image, so that every shift is one offset.
        var reach = 2 * (_maxShiftY * _stride + _maxShiftX);
        var padded = new float[2 * (reach + Size.Height * _stride)];
        Pad(image, RigidTransform.Identity).CopyTo(padded, reach);
        var best = new (RigidTransform Transform, float Score)[_angles.Length];
        Span<float> scores = stackalloc float[ShiftedSums.Count];
        for (var k = 0; k < _angles.Length; k++)
        {
            best[k] = (RigidTransform.Identity, float.NegativeInfinity);
            for (var dy = -_maxShiftY; dy <= _maxShiftY; dy++)
            for (var dx = -_maxShiftX; dx <= _maxShiftX; dx += ShiftedSums.Count)
            {
                // Two values per pixel, so a shift by (dx, dy) is one offset into the flat arrays.
                var shifted = padded.AsSpan(reach + 2 * (dy * _stride + dx));
                var count = Math.Min(ShiftedSums.Count, _maxShiftX - dx + 1);
                if (count == ShiftedSums.Count)
                    ShiftedSums.Compute(_rotatedTemplates[k], shifted, scores);
                else
                    for (var i = 0; i < count; i++)
                        scores[i] = TensorPrimitives.Dot(
                            _rotatedTemplates[k],
                            shifted.Slice(2 * i, _rotatedTemplates[k].Length)
                        );
                for (var i = 0; i < count; i++)
                    if (scores[i] > best[k].Score)
                        best[k] = (new RigidTransform(_angles[k], dx + i, dy), scores[i]);
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
    /// <param name="field">Shape <c>(Size.Height, Size.Width, 2)</c>.</param>
    /// <param name="source">The transform that the pixels were sampled with: those from outside of the plane show no
    /// edge of the part and stay 0.</param>
    private float[] Pad(GradientField field, RigidTransform source)
    {
        var padded = new float[2 * Size.Height * _stride];
        for (var y = 0; y < Size.Height; y++)
        for (var x = 0; x < Size.Width; x++)
        {
            var (px, py) = source.Map(x, y, Size);
            // The gradient needs all eight neighbours: one pixel of margin, less a little for rounding.
            if (Math.Min(px, py) < 0.9 || px > Size.Width - 1.9 || py > Size.Height - 1.9)
                continue;
            field.Values.AsSpan(2 * (y * Size.Width + x), 2).CopyTo(padded.AsSpan(2 * (y * _stride + x)));
        }
        return padded;
    }
}
