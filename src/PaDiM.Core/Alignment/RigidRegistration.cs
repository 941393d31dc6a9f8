using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Finds how a part lies in a photograph compared with a template. A search over all rotations and shifts on gradient
/// directions (<see cref="CoarseSearch"/>) gives the starts, robust Gauss-Newton (<see cref="RobustRefinement"/>)
/// refines them at 64, 128 and at most 256 pixels, and the simplest movement that explains the image is taken: none,
/// then a shift, then a shift with a rotation. Immutable, thread-safe; the same template and plane give the same result
/// on one machine.
/// </summary>
public sealed class RigidRegistration
{
    /// <summary>Rotations of up to so many radians either way are found: 15 degrees.</summary>
    public const double MaxAngle = 15 * Math.PI / 180;

    /// <summary>Shifts of up to this share of the side, either way along both axes, are found.</summary>
    public const double MaxShift = 0.15;

    /// <summary>A template has at least so many pixels a side.</summary>
    public const int MinSide = 32;

    /// <summary>A template has at most so many pixels a side.</summary>
    public const int MaxSide = 2048;

    private const int FinestSide = 256;

    /// <summary>
    /// Below this correlation of gradient directions at 64 pixels nothing is moved. Independent textures reach 0.28 at
    /// the best of all rotations and shifts, and 0.33 in fits that ran out of range; photographs of two bottles reach
    /// 0.78 and more once aligned.
    /// </summary>
    private const double MinCorrelation = 0.4;

    /// <summary>
    /// How much a richer movement must gain over a simpler one, in Fisher's z (atanh of the correlation), whose
    /// standard error is about 1 / sqrt(n) for any correlation: n is some 2000 edge pixels at 128 pixels a side, and by
    /// chance 0.02 is gained.
    /// </summary>
    private const double MinGain = 0.03;

    /// <summary>
    /// A share of the side: movements that differ by less are one optimum seen at two precisions, and the richer one
    /// needs no gain. A mistake there costs less than a patch, while interpolation between pixels takes more from the
    /// correlation than so small a movement adds.
    /// </summary>
    private const double SmallMovement = 0.015;

    /// <summary>Beyond the range, because a part may lie at its end and an estimate beside it.</summary>
    private const double RangeTolerance = 0.02;

    private readonly int _side;
    private readonly CoarseSearch _search;
    private readonly RobustRefinement[] _levels;
    private readonly GradientField _coarsestField;
    private readonly GradientField _judgeField;

    /// <summary>Prepares a template. Cost: about two registrations.</summary>
    /// <param name="template">Shape <c>(side, side)</c>, grey values from 0 to 255; not kept.</param>
    /// <param name="side">Pixels, from 32 to 2048.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side out of range.</exception>
    /// <exception cref="ArgumentException">A template of another shape, or with values that are not finite.</exception>
    public RigidRegistration(float[] template, int side)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, MinSide);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(side, MaxSide);
        CheckPlane(template, side, nameof(template));
        _side = side;
        var finest = Math.Min(side, FinestSide);
        var plane = PlaneReduction.Reduce(template, side, finest);
        _search = new CoarseSearch(plane, finest, MaxAngle, MaxShift);
        // A level close to the finest costs as much and tells nothing more.
        List<int> sides = [finest];
        foreach (var coarser in (int[])[128, 64])
            if (coarser <= 0.75 * finest)
                sides.Insert(0, coarser);
        _levels = [.. sides.Select(s => new RobustRefinement(PlaneReduction.Reduce(plane, finest, s), s))];
        _coarsestField = CreateField(plane, finest, _levels[0].Side);
        _judgeField = CreateField(plane, finest, _levels[Math.Min(1, _levels.Length - 1)].Side).Smooth();
    }

    /// <summary>
    /// Where the part lies. Light of another strength, a local defect, and missing content at the border are no
    /// obstacle. The identity where the plane has no structure in common with the template or moving it gains nothing;
    /// the angle is 0 where the part's symmetry leaves it open. Cost: about 10 ms at 256 pixels a side, little more at
    /// larger ones.
    /// </summary>
    /// <param name="plane">Shape <c>(side, side)</c>, grey values from 0 to 255.</param>
    /// <returns>From the template to the image, in pixels of <c>side</c>.</returns>
    /// <exception cref="ArgumentException">A plane of another shape, or with values that are not finite.</exception>
    public RigidTransform Register(ReadOnlySpan<float> plane)
    {
        CheckPlane(plane, _side, nameof(plane));
        var finest = _levels[^1].Side;
        var image = _side == finest ? plane : PlaneReduction.Reduce(plane, _side, finest);

        var candidates = _search.FindCandidates(CreateField(image, finest, _search.Side));
        var start = PlaneReduction.Reduce(image, finest, _coarsestField.Side);
        var edges = GradientField.FromPlane(start, _coarsestField.Side);
        var best = FindBestFit(candidates, start, edges);
        if (best is not { } rigid)
            return RigidTransform.Identity;

        var middle = PlaneReduction.Reduce(image, finest, _judgeField.Side);
        edges = GradientField.FromPlane(middle, _judgeField.Side).Smooth();
        var unturned = candidates.First(candidate => candidate.Transform.Angle == 0).Transform;
        var shift = Refine(0, start, unturned.Scale((double)_coarsestField.Side / _search.Side), rotates: false);
        if (_levels.Length > 1)
        {
            var factor = (double)_judgeField.Side / _coarsestField.Side;
            rigid = Refine(1, middle, rigid.Scale(factor), rotates: true);
            shift = Refine(1, middle, shift.Scale(factor), rotates: false);
        }

        var chosen = (Transform: RigidTransform.Identity, Correlation: ComputeFisherZ(RigidTransform.Identity, edges));
        foreach (var richer in (RigidTransform[])[shift, rigid])
        {
            var reached = ComputeFisherZ(richer, edges);
            if (
                reached > chosen.Correlation + MinGain
                || (IsInRange(richer, _judgeField.Side) && GetMaxDisplacement(chosen.Transform, richer) < SmallMovement)
            )
                chosen = (richer, reached);
        }
        if (chosen.Transform == RigidTransform.Identity)
            return RigidTransform.Identity;

        var result = chosen.Transform.Scale((double)finest / _judgeField.Side);
        if (_levels.Length > 2)
            result = Refine(2, image, result, rotates: result.Angle != 0);
        return IsInRange(result, finest) ? result.Scale((double)_side / finest) : RigidTransform.Identity;
    }

    /// <summary>
    /// The best fit of the first level from the best start and from the best one that is turned otherwise; null if none
    /// fits.
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
            var fit = Refine(0, image, start.Scale((double)_coarsestField.Side / _search.Side), rotates: true);
            if (!IsInRange(fit, _coarsestField.Side))
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
        // A hundredth of a pixel is for the finest level; what the others leave, the next one finds in a step. Many
        // steps are taken only where hardly anything determines the rotation, and the expensive ones decide little
        // there.
        _levels[level]
            .Refine(image, start, rotates, steps: 16 >> level, tolerance: level == _levels.Length - 1 ? 0.01 : 0.03);

    /// <summary>How far apart two movements put a point of the rim, at most; a share of the side.</summary>
    private double GetMaxDisplacement(RigidTransform a, RigidTransform b) =>
        Math.Abs(a.Angle - b.Angle) / 2
        + Math.Sqrt(Math.Pow(a.ShiftX - b.ShiftX, 2) + Math.Pow(a.ShiftY - b.ShiftY, 2)) / _judgeField.Side;

    private double ComputeFisherZ(RigidTransform transform, GradientField edges) =>
        IsInRange(transform, _judgeField.Side)
            ? Math.Atanh(Math.Clamp(_judgeField.Correlate(edges, transform), -0.999, 0.999))
            : double.NegativeInfinity;

    private static bool IsInRange(RigidTransform transform, int side) =>
        Math.Abs(transform.Angle) <= MaxAngle + RangeTolerance
        && Math.Max(Math.Abs(transform.ShiftX), Math.Abs(transform.ShiftY)) <= (MaxShift + RangeTolerance) * side;

    private static GradientField CreateField(ReadOnlySpan<float> plane, int side, int target) =>
        GradientField.FromPlane(PlaneReduction.Reduce(plane, side, target), target);

    private static void CheckPlane(ReadOnlySpan<float> plane, int side, string name)
    {
        if (plane.Length != side * side)
            throw new ArgumentException($"'{name}' has {plane.Length} values where its shape has {side * side}.", name);
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes(plane)))
            throw new ArgumentException($"'{name}' holds a value that is not finite.", name);
    }
}
