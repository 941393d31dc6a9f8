using System.Numerics.Tensors;

namespace PaDiM.Backbones.Quantisation;

/// <summary>Collects statistics of one tensor over calibration images.</summary>
internal sealed class ActivationStatistics
{
    private double[] _sums = [];
    private long _perChannel;

    /// <summary>Gets the range and distribution of all its values.</summary>
    public ActivationHistogram Values { get; } = new();

    /// <summary>Gets the mean of each channel.</summary>
    public double[] ChannelMeans => [.. _sums.Select(sum => sum / Math.Max(_perChannel, 1))];

    /// <summary>First pass: widens the range.</summary>
    public void Widen(ReadOnlySpan<float> values) => Values.Widen(values);

    /// <summary>Second pass: counts values and sums channels.</summary>
    /// <param name="values">The values of one image, shape <c>(channels, positions)</c>.</param>
    /// <param name="channels">The number of channels.</param>
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

    /// <summary>Gets the scale that a method chooses.</summary>
    public ActivationScale GetScale(RangeMethod method) =>
        method switch
        {
            RangeMethod.MinMax => ActivationScale.FromRange(Values.Min, Values.Max),
            RangeMethod.Percentile => Values.FindPercentileScale(0.9999),
            _ => Values.FindLeastSquaresScale(),
        };
}
