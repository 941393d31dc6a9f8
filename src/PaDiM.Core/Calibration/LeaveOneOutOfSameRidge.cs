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
            Partition.Run(statistics.Grid.Positions, parallel, () => new double[statistics.Dimensions], (p, scratch) =>
                PackedTriangle.Whiten(statistics.ScatterAt(p), statistics.Dimensions, ridge / scale, scratch));
    }

    private protected override int Scratch => Statistics.Dimensions;

    private protected override double Squared(int position, Span<double> delta, Span<double> scratch)
    {
        if (scale == 0) return Growth * Growth * TensorPrimitives.SumOfSquares<double>(delta) / ridge;
        PackedTriangle.Multiply(Statistics.ScatterAt(position), delta, scratch);
        return WithoutImage(TensorPrimitives.SumOfSquares<double>(scratch), scale);
    }
}
