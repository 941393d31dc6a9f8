using System.Numerics.Tensors;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// Leave-one-out distances with neither shrinkage nor a relative ridge: the ridge is epsilon for every image, so A = M2
/// + epsilon (n - 2) I is factorised once per position, and q = |A^(-1/2) D|^2.
/// </summary>
internal sealed class LeaveOneOutSharedRidge : LeaveOneOutByPosition
{
    private readonly double _scale,
        _ridge;

    public LeaveOneOutSharedRidge(PatchStatistics statistics, Regularisation regularisation, ParallelOptions parallel)
        : base(statistics, regularisation)
    {
        // The scale is 0 for n = 2.
        (_scale, _ridge) = regularisation.ComputeScaleAndRidge(
            statistics.Count - 1,
            statistics.Dimensions,
            default,
            regularisation.GetRidge(0)
        );
        if (_scale > 0)
            Partition.Run(
                statistics.Grid.Positions,
                parallel,
                () => new DenseTriangle(statistics.Dimensions),
                (p, work) => PackedTriangle.Whiten(statistics.ScatterAt(p), _ridge / _scale, work)
            );
    }

    private protected override Worker CreateWorker(double[] ridges) => new FactorWorker(this, ridges.Length);

    /// <summary>Reads a position's factor once for all images: four images at a time are a panel.</summary>
    private sealed class FactorWorker(LeaveOneOutSharedRidge owner, int images)
        : Worker(owner.Statistics.Dimensions, images)
    {
        private readonly DenseTriangle _factor = new(owner.Statistics.Dimensions);
        private readonly double[] _panel = new double[
            PanelKernel.Width * PanelKernel.GetStride(owner.Statistics.Dimensions)
        ];

        public override void ComputeSquares(int position, Span<double> squares)
        {
            if (owner._scale == 0)
            {
                for (var i = 0; i < squares.Length; i++)
                    squares[i] =
                        owner.DeletionFactor
                        * owner.DeletionFactor
                        * TensorPrimitives.SumOfSquares<double>(this[i])
                        / owner._ridge;
                return;
            }
            _factor.Load(owner.Statistics.ScatterAt(position));
            for (var first = 0; first < squares.Length; first += PanelKernel.Width)
            {
                // panel = A^(-1/2) D for four images: factor(k, c) is D[k] of image first + c.
                PanelKernel.Multiply(
                    _factor.Values,
                    Stride,
                    fromRow: 0,
                    Deltas[(first * Stride)..],
                    nextFactor: 1,
                    nextColumn: Stride,
                    count: owner.Statistics.Dimensions,
                    diagonal: 0,
                    _panel,
                    subtract: false
                );
                for (var i = first; i < Math.Min(first + PanelKernel.Width, squares.Length); i++)
                    squares[i] = owner.ToSquaredDistance(
                        TensorPrimitives.SumOfSquares<double>(_panel.AsSpan((i - first) * Stride, Stride)),
                        owner._scale
                    );
            }
        }
    }
}
