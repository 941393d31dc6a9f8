using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// The template of parts that lie differently in every photograph: their mean after alignment, found together with the
/// alignment (group-wise registration: Joshi, Davis, Jomier, Gerig, "Unbiased diffeomorphic atlas construction",
/// NeuroImage 2004, for rigid movements).
/// </summary>
public static class MeanTemplate
{
    /// <summary>
    /// Starts from the plane that resembles the plain mean most, so that an outlier is no start; in each round
    /// registers all planes to the template and takes the mean of what they show of it. Between rounds the template
    /// moves to the mean position of the parts, which keeps it from drifting and loses the least at the borders.
    /// Deterministic in the order of the planes, whatever the number of cores. Cost: the planes are read <c>rounds +
    /// 2</c> times and registered <c>rounds</c> times (about 10 ms each at 256 pixels a side, over several cores);
    /// memory for some planes a core, whatever the number of planes.
    /// </summary>
    /// <param name="planes">Gives the same planes in the same order at every call; shape <c>(side, side)</c>, grey
    /// values from 0 to 255. The arrays must not be reused while they are enumerated.</param>
    /// <param name="side">Pixels, from 32 to 2048.</param>
    /// <param name="rounds">At least 1; 3 are enough as a rule.</param>
    /// <param name="parallel">Cores and cancellation; all cores unless given.</param>
    /// <returns>Shape <c>(side, side)</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A side or a number of rounds out of range.</exception>
    /// <exception cref="ArgumentException">No planes, a plane of another shape, or one with values that are not
    /// finite.</exception>
    public static float[] Build(
        Func<IEnumerable<float[]>> planes,
        int side,
        int rounds,
        ParallelOptions? parallel = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(side, RigidRegistration.MinSide);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(side, RigidRegistration.MaxSide);
        parallel ??= Partition.AllCores;
        var template = FindMostTypical(planes, ComputeMean(planes, side, parallel), parallel);
        for (var round = 1; round <= rounds; round++)
        {
            var (mean, position) = Align(planes, template, side, parallel);
            template = round == rounds ? mean : Move(mean, side, position.Inverse());
        }
        return template;
    }

    private static float[] ComputeMean(Func<IEnumerable<float[]>> planes, int side, ParallelOptions parallel)
    {
        var sum = new double[side * side];
        var count = 0;
        foreach (var plane in planes())
        {
            parallel.CancellationToken.ThrowIfCancellationRequested();
            Shapes.CheckLength(plane, sum.Length);
            for (var i = 0; i < sum.Length; i++)
                sum[i] += plane[i];
            count++;
        }
        if (count == 0)
            throw new ArgumentException("A template needs at least one plane.", nameof(planes));
        return Array.ConvertAll(sum, value => (float)(value / count));
    }

    private static float[] FindMostTypical(Func<IEnumerable<float[]>> planes, float[] mean, ParallelOptions parallel)
    {
        var best = mean;
        var highest = double.NegativeInfinity;
        var centred = SubtractMean(mean);
        foreach (var plane in planes())
        {
            parallel.CancellationToken.ThrowIfCancellationRequested();
            var other = SubtractMean(plane);
            var norm = (double)TensorPrimitives.Norm<float>(other);
            var correlation = norm > 0 ? TensorPrimitives.Dot<float>(centred, other) / norm : 0;
            if (correlation > highest)
            {
                best = plane;
                highest = correlation;
            }
        }
        return best;
    }

    private static float[] SubtractMean(float[] plane)
    {
        var centred = new float[plane.Length];
        TensorPrimitives.Subtract(plane, TensorPrimitives.Average<float>(plane), centred);
        return centred;
    }

    /// <summary>
    /// The mean of all planes in the frame of the template, and the mean position of the parts in it.
    /// </summary>
    private static (float[] Mean, RigidTransform Position) Align(
        Func<IEnumerable<float[]>> planes,
        float[] template,
        int side,
        ParallelOptions parallel
    )
    {
        var registration = new RigidRegistration(template, side);
        var sum = new double[side * side];
        var covered = new int[side * side];
        var count = 0;
        var position = RigidTransform.Identity;
        foreach (var batch in planes().Chunk(2 * Partition.Cores(parallel)))
        {
            var transforms = new RigidTransform[batch.Length];
            Partition.Run(batch.Length, parallel, i => transforms[i] = registration.Register(batch[i]));
            // In the order of the planes at every pixel: the sum is the same for any number of cores.
            Partition.Run(
                side,
                parallel,
                y =>
                {
                    for (var i = 0; i < batch.Length; i++)
                        AddRow(
                            batch[i],
                            side,
                            transforms[i],
                            y,
                            sum.AsSpan(y * side, side),
                            covered.AsSpan(y * side, side)
                        );
                }
            );
            foreach (var t in transforms)
                position = new RigidTransform(
                    position.Angle + t.Angle,
                    position.ShiftX + t.ShiftX,
                    position.ShiftY + t.ShiftY
                );
            count += batch.Length;
        }
        var mean = new float[sum.Length];
        for (var i = 0; i < mean.Length; i++)
            mean[i] = covered[i] > 0 ? (float)(sum[i] / covered[i]) : template[i];
        return (mean, new RigidTransform(position.Angle / count, position.ShiftX / count, position.ShiftY / count));
    }

    private static void AddRow(
        ReadOnlySpan<float> plane,
        int side,
        RigidTransform transform,
        int y,
        Span<double> sum,
        Span<int> covered
    )
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var (startX, startY) = transform.Map(0, y, side);
        for (var x = 0; x < side; x++)
        {
            var px = startX + cos * x;
            var py = startY + sin * x;
            if (!Warping.IsCovered(px, side) || !Warping.IsCovered(py, side))
                continue;
            sum[x] += Warping.Sample(plane, px, py, side);
            covered[x]++;
        }
    }

    private static float[] Move(float[] plane, int side, RigidTransform transform)
    {
        var moved = new float[plane.Length];
        for (var y = 0; y < side; y++)
        for (var x = 0; x < side; x++)
        {
            var (px, py) = transform.Map(x, y, side);
            moved[y * side + x] = Warping.Sample(plane, px, py, side);
        }
        return moved;
    }
}
