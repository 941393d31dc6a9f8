namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Measures a tensor over calibration images: its smallest and largest value in a first pass, a histogram between them
/// in a second. It only sums counts, so the order of the images does not matter.
/// </summary>
internal sealed class ActivationHistogram
{
    private const int Bins = 2048;
    private readonly long[] _counts = new long[Bins];

    /// <summary>Gets the smallest value, at most 0.</summary>
    public float Min { get; private set; }

    /// <summary>Gets the largest value, at least 0.</summary>
    public float Max { get; private set; }

    private double Width => ((double)Max - Min) / Bins;

    /// <summary>First pass: widens the range to include the values.</summary>
    /// <exception cref="InvalidDataException">A value is not finite.</exception>
    public void Widen(ReadOnlySpan<float> values)
    {
        var min = System.Numerics.Tensors.TensorPrimitives.Min(values);
        var max = System.Numerics.Tensors.TensorPrimitives.Max(values);
        if (!float.IsFinite(min) || !float.IsFinite(max))
            throw new InvalidDataException("it produces values that are not finite for a calibration image");
        Min = Math.Min(Min, min);
        Max = Math.Max(Max, max);
    }

    /// <summary>Second pass: counts values within the range.</summary>
    public void Count(ReadOnlySpan<float> values)
    {
        if (Max == Min)
            return;
        var low = Min;
        var perBin = (float)(1 / Width);
        foreach (var value in values)
            _counts[Math.Clamp((int)((value - low) * perBin), 0, Bins - 1)]++;
    }

    /// <summary>
    /// Finds the scale with the least expected squared error. Rare large values are clipped if finer steps for the
    /// others are worth more.
    /// </summary>
    public ActivationScale FindLeastSquaresScale()
    {
        var best = ActivationScale.FromRange(Min, Max);
        var error = double.MaxValue;
        for (var low = Min < 0 ? 100 : 0; low >= 0; low -= 2)
        {
            for (var high = Max > 0 ? 100 : 0; high >= 0; high -= 2)
            {
                if (low == 0 && high == 0)
                    continue;
                var candidate = ActivationScale.FromRange(Min * low / 100.0, Max * high / 100.0);
                var expected = ComputeExpectedError(candidate, error);
                if (expected < error)
                {
                    best = candidate;
                    error = expected;
                }
            }
        }
        return best;
    }

    /// <summary>Finds the scale that covers all but a share of the values at each end.</summary>
    /// <param name="share">The share to cover, such as 0.9999.</param>
    public ActivationScale FindPercentileScale(double share)
    {
        var cut = (long)((1 - share) * _counts.Sum());
        var first = 0;
        var last = Bins - 1;
        for (var seen = _counts[first]; seen <= cut && first < Bins - 1; seen += _counts[++first]) { }
        for (var seen = _counts[last]; seen <= cut && last > first; seen += _counts[--last]) { }
        return ActivationScale.FromRange(Min < 0 ? Min + first * Width : 0, Max > 0 ? Min + (last + 1) * Width : 0);
    }

    /// <summary>
    /// Computes the sum of the squared errors of all values. A value within the range costs scale^2 / 12. Stops once
    /// the sum exceeds the limit.
    /// </summary>
    private double ComputeExpectedError(ActivationScale scale, double limit)
    {
        var low = -scale.ZeroPoint * (double)scale.Scale;
        var high = (255 - scale.ZeroPoint) * (double)scale.Scale;
        var sum = 0.0;
        var rounding = scale.Scale * (double)scale.Scale / 12;
        var width = Width;
        for (var bin = 0; bin < Bins && sum < limit; bin++)
        {
            if (_counts[bin] == 0)
                continue;
            var value = Min + (bin + 0.5) * width;
            // After a ReLU the bin that contains 0 is exact, because most of its values are 0.
            if (Min == 0 && bin == 0)
                continue;
            var beyond =
                value < low ? low - value
                : value > high ? value - high
                : 0;
            sum += _counts[bin] * (beyond > 0 ? beyond * beyond : rounding);
        }
        return sum;
    }
}
