using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Builds the template of parts whose position differs per photograph: their mean after alignment, found together with
/// the alignment (group-wise registration: Joshi, Davis, Jomier, Gerig, "Unbiased diffeomorphic atlas construction",
/// NeuroImage 2004, for rigid movements).
/// </summary>
public static class MeanTemplate
{
    /// <summary>
    /// Starts with the plane that is most similar to the plain mean, which is never an outlier. Each round registers
    /// all planes to the template and averages them in its frame. Between rounds the template moves to the mean
    /// position of the parts, which keeps it from drifting and loses the least at the borders. The result depends on
    /// the order of the planes, but not on the number of cores. Cost: the planes are read <c>rounds + 2</c> times and
    /// registered <c>rounds</c> times (about 4 ms each at 256 pixels per side, on several cores). Memory: a few planes
    /// per core.
    /// </summary>
    /// <param name="planes">Returns the same planes in the same order on every call; shape <c>(height, width)</c>, grey
    /// values from 0 to 255. The arrays must not be reused during an enumeration.</param>
    /// <param name="size">Rows and columns of the planes, 32 to 2048 pixels each.</param>
    /// <param name="rounds">Number of rounds, at least 1; 3 are usually enough.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <returns>The template, shape <c>(height, width)</c>, grey values.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A side or the number of rounds is out of range.</exception>
    /// <exception cref="ArgumentException">There are no planes, or one has another shape or a value that is not
    /// finite.</exception>
    public static float[] Build(
        Func<IEnumerable<float[]>> planes,
        Grid size,
        int rounds,
        ParallelOptions? parallel = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        RigidRegistration.CheckSize(size);
        parallel ??= Partition.AllCores;
        var template = FindMostTypical(planes, ComputeMean(planes, size, parallel), parallel);
        for (var round = 1; round <= rounds; round++)
        {
            var (mean, position) = Align(planes, template, size, parallel);
            template = round == rounds ? mean : Move(mean, size, position.Inverse());
        }
        return template;
    }

    private static float[] ComputeMean(Func<IEnumerable<float[]>> planes, Grid size, ParallelOptions parallel)
    {
        var sum = new double[size.Positions];
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
    /// Computes the mean of all planes in the frame of the template, and the mean position of the parts in it.
    /// </summary>
    private static (float[] Mean, RigidTransform Position) Align(
        Func<IEnumerable<float[]>> planes,
        float[] template,
        Grid size,
        ParallelOptions parallel
    )
    {
        var registration = new RigidRegistration(template, size);
        var sum = new double[size.Positions];
        var covered = new int[size.Positions];
        var count = 0;
        var position = RigidTransform.Identity;
        foreach (var batch in planes().Chunk(2 * Partition.Cores(parallel)))
        {
            var transforms = new RigidTransform[batch.Length];
            Partition.Run(batch.Length, parallel, i => transforms[i] = registration.Register(batch[i]));
            // Cores split the rows, and each adds the planes in order: the sum does not depend on the number of cores.
            Partition.Run(
                size.Height,
                parallel,
                y =>
                {
                    for (var i = 0; i < batch.Length; i++)
                        AddRow(
                            batch[i],
                            size,
                            transforms[i],
                            y,
                            sum.AsSpan(y * size.Width, size.Width),
                            covered.AsSpan(y * size.Width, size.Width)
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
        Grid size,
        RigidTransform transform,
        int y,
        Span<double> sum,
        Span<int> covered
    )
    {
        var (sin, cos) = Math.SinCos(transform.Angle);
        var (startX, startY) = transform.Map(0, y, size);
        for (var x = 0; x < size.Width; x++)
        {
            var px = startX + cos * x;
            var py = startY + sin * x;
            if (!Warping.IsCovered(px, size.Width) || !Warping.IsCovered(py, size.Height))
                continue;
            sum[x] += Bilinear.Sample(plane, px, py, size);
            covered[x]++;
        }
    }

    private static float[] Move(float[] plane, Grid size, RigidTransform transform)
    {
        var moved = new float[plane.Length];
        for (var y = 0; y < size.Height; y++)
        for (var x = 0; x < size.Width; x++)
        {
            var (px, py) = transform.Map(x, y, size);
            moved[y * size.Width + x] = Bilinear.Sample(plane, px, py, size);
        }
        return moved;
    }
}
