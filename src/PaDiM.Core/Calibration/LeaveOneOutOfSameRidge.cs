using System.Numerics.Tensors;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>Without shrinkage the ridge is epsilon whichever image is left out: A = M2 + epsilon (n - 2) I is factorised once a position, q = |A^(-1/2) D|^2.</summary>
internal sealed class LeaveOneOutOfSameRidge : LeaveOneOut
{
    private readonly double scale, ridge;

    public LeaveOneOutOfSameRidge(PatchStatistics statistics, Regularisation regularisation, ParallelOptions parallel) : base(statistics, regularisation)
    {
        (scale, ridge) = regularisation.Of(statistics.Count - 1, statistics.Dimensions, default);
        if (scale > 0)
            Partition.Run(statistics.Grid.Positions, parallel, () => new DenseTriangle(statistics.Dimensions), (p, work) =>
                PackedTriangle.Whiten(statistics.ScatterAt(p), ridge / scale, work));
    }

    private protected override Worker CreateWorker(int images) => new FactorWorker(this, images);

    /// <summary>Reads a position's factor once for all images: four of them at a time are a panel.</summary>
    private sealed class FactorWorker(LeaveOneOutOfSameRidge owner, int images) : Worker(owner.Statistics.Dimensions, images)
    {
        private readonly DenseTriangle factor = new(owner.Statistics.Dimensions);
        private readonly double[] panel = new double[PanelKernel.Width * PanelKernel.Stride(owner.Statistics.Dimensions)];

        public override void Square(int position, Span<double> squares)
        {
            if (owner.scale == 0)
            {
                for (var i = 0; i < squares.Length; i++) squares[i] = owner.Growth * owner.Growth * TensorPrimitives.SumOfSquares<double>(this[i]) / owner.ridge;
                return;
            }
            factor.Load(owner.Statistics.ScatterAt(position));
            for (var first = 0; first < squares.Length; first += PanelKernel.Width)
            {
                PanelKernel.Multiply(factor.Values, Stride, 0, Deltas[(first * Stride)..], 1, Stride, owner.Statistics.Dimensions, 0, panel, subtract: false);
                for (var i = first; i < Math.Min(first + PanelKernel.Width, squares.Length); i++)
                    squares[i] = owner.WithoutImage(TensorPrimitives.SumOfSquares<double>(panel.AsSpan((i - first) * Stride, Stride)), owner.scale);
            }
        }
    }
}
