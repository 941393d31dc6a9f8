using System.Numerics.Tensors;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// Leave-one-out distances where the ridge depends on the image that is left out: with shrinkage through its intensity,
/// with a relative ridge through the mean variance. Trace, squares and fourth moments without the image follow from
/// those of all images in closed form, and the tridiagonal form of M2 gives q for any ridge.
/// </summary>
internal sealed class LeaveOneOutPerImageRidge : LeaveOneOutByPosition
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
            () => new TridiagonalReduction(d),
            (p, reduction) => reduction.Reduce(statistics.ScatterAt(p), _factors.AsSpan(p * d, d))
        );
    }

    private protected override Worker CreateWorker(double[] ridges) => new BandWorker(this, ridges);

    /// <summary>
    /// Computes the norms of M2 - c D D^T, and the sum over the other images of |x_k - mean_i|^4, where mean_i = mean -
    /// e with e = D / (n - 1) is the mean without image i.
    /// </summary>
    /// <param name="position">Index of the position.</param>
    /// <param name="norms">Trace and sum of squares of M2.</param>
    /// <param name="length">|D|^2.</param>
    /// <param name="spread">D^T M2 D.</param>
    /// <param name="skew">D^T sum of |D_k|^2 D_k.</param>
    private ScatterNorms ComputeNormsWithout(
        int position,
        in ScatterNorms norms,
        double length,
        double spread,
        double skew
    )
    {
        double n = Statistics.Count,
            others = n - 1,
            c = DeletionFactor;
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
                + 2 * shift * norms.Trace
                - Math.Pow(c, 4) * length * length;
        }
        // Differences of like numbers: rounding must not make them negative.
        return new ScatterNorms(
            Math.Max(0, norms.Trace - c * length),
            Math.Max(0, norms.Squared - 2 * c * spread + c * c * length * length),
            Math.Max(0, fourth)
        );
    }

    /// <summary>Reads a position's reflectors once for all images: a lane is an image.</summary>
    private sealed class BandWorker(LeaveOneOutPerImageRidge owner, double[] ridges)
        : Worker(owner.Statistics.Dimensions, ridges.Length)
    {
        private readonly int _lanes = PanelKernel.GetStride(ridges.Length);
        private readonly double[] _diagonal = new double[owner.Statistics.Dimensions],
            _below = new double[owner.Statistics.Dimensions],
            _vectors = new double[owner.Statistics.Dimensions * PanelKernel.GetStride(ridges.Length)],
            _spreads = new double[PanelKernel.GetStride(ridges.Length)],
            _forms = new double[PanelKernel.GetStride(ridges.Length)],
            _shifts = new double[PanelKernel.GetStride(ridges.Length)],
            _lengths = new double[ridges.Length];

        private readonly (double Scale, double Ridge)[] _terms = new (double, double)[ridges.Length];

        public override void ComputeSquares(int position, Span<double> squares)
        {
            var d = owner.Statistics.Dimensions;
            var scatter = owner.Statistics.ScatterAt(position);
            for (var i = 0; i < ridges.Length; i++)
            {
                var delta = this[i];
                _lengths[i] = TensorPrimitives.SumOfSquares<double>(delta);
                for (var j = 0; j < d; j++)
                    _vectors[j * _lanes + i] = delta[j];
            }
            // From here on a vector is Q^T D, and M2 is T: lengths and forms do not change under the rotation Q.
            TridiagonalForm.Rotate(scatter, owner._factors.AsSpan(position * d, d), _vectors);
            TridiagonalForm.CopyBands(scatter, _diagonal, _below);
            ComputeTerms(position);
            TridiagonalForm.ComputeInverseForms(_diagonal, _below, _shifts, _vectors, _forms);
            for (var i = 0; i < ridges.Length; i++)
                squares[i] = IsSphere(_terms[i])
                    ? owner.DeletionFactor * owner.DeletionFactor * _lengths[i] / _terms[i].Ridge
                    : owner.ToSquaredDistance(_forms[i], _terms[i].Scale);
        }

        /// <summary>Computes scale and ridge of each image, and the ridge of A, which is 1 where there is none.</summary>
        private void ComputeTerms(int position)
        {
            var n = owner.Statistics.Count;
            var d = owner.Statistics.Dimensions;
            var regularisation = owner.Regularisation;
            var shrinks = regularisation.Shrinkage != ShrinkageMethod.None;
            var norms = default(ScatterNorms);
            if (shrinks)
            {
                TridiagonalForm.ComputeForms(_diagonal, _below, _vectors, _spreads);
                norms = new ScatterNorms(
                    TensorPrimitives.Sum<double>(_diagonal),
                    TensorPrimitives.SumOfSquares<double>(_diagonal)
                        + 2 * TensorPrimitives.SumOfSquares<double>(_below),
                    0
                );
            }
            Array.Fill(_shifts, 1);
            for (var i = 0; i < ridges.Length; i++)
            {
                var skew = regularisation.Moments is { } moments
                    ? TensorPrimitives.Dot(moments.ThirdAt(position), this[i])
                    : 0;
                _terms[i] = regularisation.ComputeScaleAndRidge(
                    n - 1,
                    d,
                    shrinks ? owner.ComputeNormsWithout(position, norms, _lengths[i], _spreads[i], skew) : default,
                    ridges[i]
                );
                if (!IsSphere(_terms[i]))
                    _shifts[i] = _terms[i].Ridge / _terms[i].Scale;
            }
        }

        /// <summary>
        /// Gets whether Cov = ridge I: one image is left, or full shrinkage (rho = 1) leaves nothing of M2.
        /// </summary>
        private static bool IsSphere((double Scale, double Ridge) terms) =>
            !(terms.Scale > 0 && double.IsFinite(terms.Ridge / terms.Scale));
    }
}
