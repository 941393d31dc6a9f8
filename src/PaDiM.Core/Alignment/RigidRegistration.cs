using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Finds the position of a part in a photograph relative to a template. A search over all rotations and shifts on
/// gradient directions (<see cref="CoarseSearch"/>) finds the starts, robust Gauss-Newton
/// (<see cref="RobustRefinement"/>) refines them at 64, 128 and at most 256 pixels (for other shapes
/// than squares, at as many pixels), and the simplest movement that
/// explains the image is chosen: none, a shift, or a shift with a rotation. Immutable, thread-safe. On one machine the
/// same template and plane give the same result.
/// </summary>
public sealed class RigidRegistration
{
    /// <summary>The largest rotation in either direction that is found: 15 degrees, in radians.</summary>
    public const double MaxAngle = 15 * Math.PI / 180;

    /// <summary>The largest shift in either direction that is found, as a share of each side.</summary>
    public const double MaxShift = 0.15;

    /// <summary>The smallest side of a template, in pixels.</summary>
    public const int MinSide = 32;

    /// <summary>The largest side of a template, in pixels.</summary>
    public const int MaxSide = 2048;

    /// <summary>Side of a square of the finest level. Other shapes have as many pixels.</summary>
    private const double FinestSide = 256;

    /// <summary>
    /// The correlation of gradient directions at 64 pixels below which nothing is moved. Independent textures reach
    /// 0.28 at the best of all rotations and shifts, and 0.33 in fits that left the range; aligned photographs of two
    /// bottles reach 0.78 and more.
    /// </summary>
    private const double MinCorrelation = 0.4;

    /// <summary>
    /// How much a richer movement must gain over a simpler one, in Fisher's z (atanh of the correlation). Its standard
    /// error is about 1 / sqrt(n) for any correlation; n is about 2000 edge pixels at 128 pixels per side, so chance
    /// alone gains 0.02.
    /// </summary>
    private const double MinGain = 0.03;

    /// <summary>
    /// Movements that differ by less than this share of the side are the same optimum at two precisions, so the richer
    /// one needs no gain. A mistake there costs less than a patch, while interpolation between pixels takes more from
    /// the correlation than such a small movement adds.
    /// </summary>
    private const double SmallMovement = 0.015;

    /// <summary>Tolerance of the range: a part may be at its limit, and the estimate slightly outside.</summary>
    private const double RangeTolerance = 0.02;

    private readonly Grid _size;
    private readonly double _ratio;
    private readonly double[] _sides;
    private readonly CoarseSearch _search;
    private readonly RobustRefinement[] _levels;
    private readonly GradientField _coarsestField;
    private readonly GradientField _judgeField;

    /// <summary>Prepares a template. Cost: about two registrations.</summary>
    /// <param name="template">Shape <c>(size.Height, size.Width)</c>, grey values from 0 to 255; not kept.</param>
    /// <param name="size">Rows and columns of the template, 32 to 2048 pixels each.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is out of range.</exception>
    /// <exception cref="ArgumentException">The template has another shape or a value that is not finite.</exception>
    public RigidRegistration(float[] template, Grid size)
    {
        CheckSize(size);
        CheckPlane(template, size, nameof(template));
        _size = size;
        // Exact for squares: the root of a square of a whole number.
        var side = Math.Sqrt((double)size.Height * size.Width);
        var finest = Math.Min(side, FinestSide);
        _ratio = side / finest;
        var plane = PlaneReduction.Reduce(template, size, _ratio);
        var finestSize = PlaneReduction.GetSize(size, _ratio);
        _search = new CoarseSearch(plane, finestSize, finest, MaxAngle, MaxShift);
        // A level close to the finest costs as much and adds nothing.
        List<double> sides = [finest];
        foreach (var coarser in (double[])[128, 64])
            if (coarser <= 0.75 * finest)
                sides.Insert(0, coarser);
        _sides = [.. sides];
        _levels =
        [
            .. sides.Select(s => new RobustRefinement(
                PlaneReduction.Reduce(plane, finestSize, finest / s),
                PlaneReduction.GetSize(finestSize, finest / s)
            )),
        ];
        _coarsestField = CreateField(plane, finestSize, finest / CoarsestSide);
        _judgeField = CreateField(plane, finestSize, finest / JudgeSide).Smooth();
    }

    private double FinestLevelSide => _sides[^1];

    private double CoarsestSide => _sides[0];

    private double JudgeSide => _sides[Math.Min(1, _sides.Length - 1)];

    /// <summary>Checks the size of a template.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A side is out of range.</exception>
    internal static void CheckSize(Grid size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(size.Height, size.Width), MinSide, nameof(size));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(size.Height, size.Width), MaxSide, nameof(size));
    }

    /// <summary>
    /// Finds the position of the part. Different light, a local defect and missing content at the border do not matter.
    /// Returns the identity if the plane has no structure in common with the template, or if moving it gains nothing;
    /// the angle is 0 if the part's symmetry leaves it undetermined. Cost: about 4 ms at 256 pixels per side, little
    /// more at larger sizes.
    /// </summary>
    /// <param name="plane">The template's shape, grey values from 0 to 255.</param>
    /// <returns>The transform from the template to the image, in pixels of the template.</returns>
    /// <exception cref="ArgumentException">The plane has another shape or a value that is not finite.</exception>
    public RigidTransform Register(ReadOnlySpan<float> plane)
    {
        CheckPlane(plane, _size, nameof(plane));
        var finest = FinestLevelSide;
        var size = _levels[^1].Size;
        var image = size == _size ? plane : PlaneReduction.Reduce(plane, _size, _ratio);

        var candidates = _search.FindCandidates(CreateField(image, size, finest / _search.Side));
        var start = PlaneReduction.Reduce(image, size, finest / CoarsestSide);
        var edges = GradientField.FromPlane(start, _coarsestField.Size);
        var best = FindBestFit(candidates, start, edges);
        if (best is not { } rigid)
            return RigidTransform.Identity;

        var middle = PlaneReduction.Reduce(image, size, finest / JudgeSide);
        edges = GradientField.FromPlane(middle, _judgeField.Size).Smooth();
        var unturned = candidates.First(candidate => candidate.Transform.Angle == 0).Transform;
        var shift = Refine(0, start, unturned.Scale(CoarsestSide / _search.Side), rotates: false);
        if (_levels.Length > 1)
        {
            var factor = JudgeSide / CoarsestSide;
            rigid = Refine(1, middle, rigid.Scale(factor), rotates: true);
            shift = Refine(1, middle, shift.Scale(factor), rotates: false);
        }

        var chosen = (Transform: RigidTransform.Identity, Correlation: ComputeFisherZ(RigidTransform.Identity, edges));
        foreach (var richer in (RigidTransform[])[shift, rigid])
        {
            var reached = ComputeFisherZ(richer, edges);
            if (
                reached > chosen.Correlation + MinGain
                || (IsInRange(richer, _judgeField.Size) && GetMaxDisplacement(chosen.Transform, richer) < SmallMovement)
            )
                chosen = (richer, reached);
        }
        if (chosen.Transform == RigidTransform.Identity)
            return RigidTransform.Identity;

        var result = chosen.Transform.Scale(finest / JudgeSide);
        if (_levels.Length > 2)
            result = Refine(2, image, result, rotates: result.Angle != 0);
        return IsInRange(result, size) ? result.Scale(_ratio) : RigidTransform.Identity;
    }

    /// <summary>
    /// Finds the best fit on the first level from two starts, the best one and the best one with a clearly different
    /// rotation; null if neither fits.
    /// </summary>
    private RigidTransform? FindBestFit(
        (RigidTransform Transform, float Score)[] candidates,
        float[] image,
        GradientField edges
    )
    {
        var best = default(RigidTransform?);
        var correlation = MinCorrelation;
        var leading = candidates[0].Transform;
        var other = candidates
            .First(candidate => Math.Abs(candidate.Transform.Angle - leading.Angle) > MaxAngle / 3)
            .Transform;
        foreach (var start in (RigidTransform[])[leading, other])
        {
            var fit = Refine(0, image, start.Scale(CoarsestSide / _search.Side), rotates: true);
            if (!IsInRange(fit, _coarsestField.Size))
                continue;
            var reached = _coarsestField.Correlate(edges, fit);
            if (reached > correlation)
            {
                best = fit;
                correlation = reached;
            }
        }
        return best;
    }

    private RigidTransform Refine(int level, ReadOnlySpan<float> image, RigidTransform start, bool rotates) =>
        // A hundredth of a pixel on the finest level; on the others the next level corrects the rest in one step. Only
        // parts with a nearly undetermined rotation need many steps, and the expensive levels decide little for them.
        _levels[level]
            .Refine(image, start, rotates, steps: 16 >> level, tolerance: level == _levels.Length - 1 ? 0.01 : 0.03);

    /// <summary>
    /// Gets the largest distance between the images of a point of the rim under two movements, as a share of
    /// the side of a square with as many pixels.
    /// </summary>
    private double GetMaxDisplacement(RigidTransform a, RigidTransform b) =>
        Math.Abs(a.Angle - b.Angle) / 2 * (Math.Max(_judgeField.Size.Height, _judgeField.Size.Width) / JudgeSide)
        + Math.Sqrt(Math.Pow(a.ShiftX - b.ShiftX, 2) + Math.Pow(a.ShiftY - b.ShiftY, 2)) / JudgeSide;

    private double ComputeFisherZ(RigidTransform transform, GradientField edges) =>
        IsInRange(transform, _judgeField.Size)
            ? Math.Atanh(Math.Clamp(_judgeField.Correlate(edges, transform), -0.999, 0.999))
            : double.NegativeInfinity;

    private static bool IsInRange(RigidTransform transform, Grid size) =>
        Math.Abs(transform.Angle) <= MaxAngle + RangeTolerance
        && Math.Abs(transform.ShiftX) <= (MaxShift + RangeTolerance) * size.Width
        && Math.Abs(transform.ShiftY) <= (MaxShift + RangeTolerance) * size.Height;

    private static GradientField CreateField(ReadOnlySpan<float> plane, Grid size, double ratio) =>
        GradientField.FromPlane(PlaneReduction.Reduce(plane, size, ratio), PlaneReduction.GetSize(size, ratio));

    private static void CheckPlane(ReadOnlySpan<float> plane, Grid size, string name)
    {
        if (plane.Length != size.Positions)
            throw new ArgumentException(
                $"'{name}' has {plane.Length} values, but its shape has {size.Positions}.",
                name
            );
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes(plane)))
            throw new ArgumentException($"'{name}' has a value that is not finite.", name);
    }
}
