using System.Numerics.Tensors;

namespace PaDiM.Onnx.Graphs.Quantisation;

/// <summary>What calibration images showed of one tensor.</summary>
internal sealed class ActivationStatistics
{
    private double[] sums = [];
    private long perChannel;

    /// <summary>Range and distribution of all its values.</summary>
    public ActivationHistogram Values { get; } = new();

    /// <summary>Mean of each channel.</summary>
    public double[] ChannelMeans => [.. sums.Select(sum => sum / Math.Max(perChannel, 1))];

    /// <summary>First pass.</summary>
    public void Widen(ReadOnlySpan<float> values) => Values.Widen(values);

    /// <summary>Second pass.</summary>
    /// <param name="values">One image, shape <c>(channels, positions)</c>.</param>
    /// <param name="channels">Its channels.</param>
    public void Count(ReadOnlySpan<float> values, int channels)
    {
        Values.Count(values);
        if (sums.Length == 0) sums = new double[channels];
        var positions = values.Length / channels;
        for (var c = 0; c < channels; c++) sums[c] += TensorPrimitives.Sum(values.Slice(c * positions, positions));
        perChannel += positions;
    }

    /// <summary>The scale by a method.</summary>
    public ActivationScale Scale(RangeMethod method) => method switch
    {
        RangeMethod.MinMax => ActivationScale.Of(Values.Min, Values.Max),
        RangeMethod.Percentile => Values.Percentile(0.9999),
        _ => Values.LeastSquares(),
    };
}
