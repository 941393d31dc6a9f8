using System.Numerics.Tensors;

namespace PaDiM.Backbones.Quantisation;

/// <summary>What calibration images showed of one tensor.</summary>
internal sealed class ActivationStatistics
{
    private double[] _sums = [];
    private long _perChannel;

    /// <summary>Range and distribution of all its values.</summary>
    public ActivationHistogram Values { get; } = new();

    /// <summary>Mean of each channel.</summary>
    public double[] ChannelMeans => [.. _sums.Select(sum => sum / Math.Max(_perChannel, 1))];

    /// <summary>First pass.</summary>
    public void Widen(ReadOnlySpan<float> values) => Values.Widen(values);

    /// <summary>Second pass.</summary>
    /// <param name="values">One image, shape <c>(channels, positions)</c>.</param>
    /// <param name="channels">Its channels.</param>
    public void Count(ReadOnlySpan<float> values, int channels)
    {
        Values.Count(values);
        if (_sums.Length == 0)
            _sums = new double[channels];
        var positions = values.Length / channels;
        for (var c = 0; c < channels; c++)
            _sums[c] += TensorPrimitives.Sum(values.Slice(c * positions, positions));
        _perChannel += positions;
    }

    /// <summary>The scale by a method.</summary>
    public ActivationScale GetScale(RangeMethod method) =>
        method switch
        {
            RangeMethod.MinMax => ActivationScale.FromRange(Values.Min, Values.Max),
            RangeMethod.Percentile => Values.FindPercentileScale(0.9999),
            _ => Values.FindLeastSquaresScale(),
        };
}
