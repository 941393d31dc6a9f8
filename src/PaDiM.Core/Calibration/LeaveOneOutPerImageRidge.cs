using System.Numerics.Tensors;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// Leave-one-out distances with shrinkage: its intensity, and therefore the ridge, depends on the image that is left
/// out. Trace, squares and fourth moments without the image follow from those of all images in closed form, and the
/// tridiagonal form of M2 gives q for any ridge.
/// </summary>
internal sealed class LeaveOneOutPerImageRidge : LeaveOneOut
{
    private readonly double[] _factors;

    public LeaveOneOutPerImageRidge(PatchStatistics statistics, Regularisation regularisation, ParallelOptions parallel)
        : base(statistics, regularisation)
    {
        var d = statistics.Dimensions;
        _factors = new double[statistics.Grid.Positions * d];
        Partition.Run(
            statistics.Grid.Positions,
            parallel,
            () => new double[d],
            (p, scratch) => TridiagonalForm.Reduce(statistics.ScatterAt(p), d, _factors.AsSpan(p * d, d), scratch)
        );
    }

    private protected override Worker CreateWorker(int images) => new BandWorker(this, images);

    private double ComputeSquaredDistance(
        int position,
        Span<double> delta,
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below
    )
    {
        var n = Statistics.Count;
        var d = Statistics.Dimensions;
        var skew = Regularisation.Moments is { } moments ? TensorPrimitives.Dot(moments.ThirdAt(position), delta) : 0;
        // From here on delta is Q^T D, and M2 is T: lengths and forms do not change under the rotation Q.
        TridiagonalForm.Rotate(Statistics.ScatterAt(position), _factors.AsSpan(position * d, d), delta);
        var length = TensorPrimitives.SumOfSquares<double>(delta);
        var spread = TridiagonalForm.ComputeForm(diagonal, below, delta);
        var (scale, ridge) = Regularisation.ComputeScaleAndRidge(
            n - 1,
            d,
            ComputeNormsWithout(position, length, spread, skew, diagonal, below)
        );
        // Full shrinkage (rho = 1) leaves scale 0, and with it Cov = ridge I.
        return scale > 0 && double.IsFinite(ridge / scale)
            ? ToSquaredDistance(TridiagonalForm.ComputeInverseForm(diagonal, below, ridge / scale, delta), scale)
            : DeletionFactor * DeletionFactor * length / ridge;
    }

    /// <summary>
    /// Computes the norms of M2 - c D D^T, and the sum over the other images of |x_k - mean_i|^4, where mean_i = mean -
    /// e with e = D / (n - 1) is the mean without image i.
    /// </summary>
    /// <param name="position">Index of the position.</param>
    /// <param name="length">|D|^2.</param>
    /// <param name="spread">D^T M2 D.</param>
    /// <param name="skew">D^T sum of |D_k|^2 D_k.</param>
    /// <param name="diagonal">T's diagonal, whose sum is the trace of M2.</param>
    /// <param name="below">T's entries below the diagonal.</param>
    private ScatterNorms ComputeNormsWithout(
        int position,
        double length,
        double spread,
        double skew,
        ReadOnlySpan<double> diagonal,
        ReadOnlySpan<double> below
    )
    {
        double n = Statistics.Count,
            others = n - 1,
            c = DeletionFactor;
        var trace = TensorPrimitives.Sum(diagonal);
        var squared = TensorPrimitives.SumOfSquares(diagonal) + 2 * TensorPrimitives.SumOfSquares(below);
        var fourth = 0.0;
        if (Regularisation.Moments is { } moments)
        {
            // |D_k + e|^2 = |D_k|^2 + 2 e^T D_k + |e|^2, squared and summed over all k (where the sum of D_k is 0),
            // less the term of image i itself, (c |D|)^4. shift is |e|^2.
            var shift = length / (others * others);
            fourth =
                moments.FourthAt(position)
                + 4 * spread / (others * others)
                + n * shift * shift
                + 4 * skew / others
                + 2 * shift * trace
                - Math.Pow(c, 4) * length * length;
        }
        // Differences of like numbers: rounding must not make them negative.
        return new ScatterNorms(
            Math.Max(0, trace - c * length),
            Math.Max(0, squared - 2 * c * spread + c * c * length * length),
            Math.Max(0, fourth)
        );
    }

    /// <summary>Reads the bands of T once per position, for all images.</summary>
    private sealed class BandWorker(LeaveOneOutPerImageRidge owner, int images)
        : Worker(owner.Statistics.Dimensions, images)
    {
        private readonly double[] _diagonal = new double[owner.Statistics.Dimensions],
            _below = new double[owner.Statistics.Dimensions];

        public override void ComputeSquares(int position, Span<double> squares)
        {
            TridiagonalForm.CopyBands(owner.Statistics.ScatterAt(position), _diagonal, _below);
            for (var i = 0; i < squares.Length; i++)
                squares[i] = owner.ComputeSquaredDistance(position, this[i], _diagonal, _below);
        }
    }
}
