using System.Numerics.Tensors;
using PaDiM.Core.Embedding;

namespace PaDiM.Core.Statistics;

/// <summary>
/// How much each position varies: the trace of its scatter M2, and the mean of the traces over the positions, weighted
/// by the share of each position that counts. Both are sums over images, so they follow exactly when images are added,
/// removed or left out. Immutable.
/// </summary>
internal sealed class PositionVariances
{
    private readonly double[] _traces;
    private readonly float[]? _shares;
    private readonly double _total;

    private PositionVariances(double[] traces, float[]? shares)
    {
        _traces = traces;
        _shares = shares;
        for (var p = 0; p < traces.Length; p++)
            _total += GetShare(p);
        for (var p = 0; p < traces.Length; p++)
            MeanTrace += GetShare(p) * traces[p] / _total;
    }

    /// <summary>Gets the mean of the traces over the positions.</summary>
    public double MeanTrace { get; }

    /// <summary>Reads the traces of a scatter.</summary>
    /// <param name="statistics">The statistics.</param>
    /// <param name="shares">The share of each position that counts, at least one above 0; null if all count.</param>
    public static PositionVariances Measure(PatchStatistics statistics, float[]? shares)
    {
        if (shares is not null)
            Shapes.CheckLength(shares, statistics.Grid.Positions);
        var traces = new double[statistics.Grid.Positions];
        for (var p = 0; p < traces.Length; p++)
            traces[p] = PackedTriangle.ComputeTrace(statistics.ScatterAt(p), statistics.Dimensions);
        return new PositionVariances(traces, shares);
    }

    /// <summary>Gets the trace of M2 at a position.</summary>
    public double TraceAt(int position) => _traces[position];

    /// <summary>Computes the share of positions that vary less than half as much as the mean.</summary>
    public double GetQuietShare()
    {
        var quiet = 0.0;
        for (var p = 0; p < _traces.Length; p++)
            if (_traces[p] < Regularisation.QuietShare * MeanTrace)
                quiet += GetShare(p) / _total;
        return quiet;
    }

    /// <summary>Computes the mean of |x - mean|^2 over the positions of an image, weighted as the traces are.</summary>
    public double ComputeMeanSquare(PatchStatistics statistics, PatchEmbedding embedding)
    {
        var delta = new double[statistics.Dimensions];
        var sum = 0.0;
        for (var p = 0; p < _traces.Length; p++)
        {
            TensorPrimitives.ConvertTruncating<float, double>(embedding[p], delta);
            TensorPrimitives.Subtract(delta, statistics.MeanAt(p), delta);
            sum += GetShare(p) * TensorPrimitives.SumOfSquares<double>(delta);
        }
        return sum / _total;
    }

    private double GetShare(int position) => _shares is { } shares ? shares[position] : 1;
}
