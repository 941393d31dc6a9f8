namespace PaDiM.Core.Calibration;

/// <summary>
/// What the leave-one-out image scores of the normal training images promise: thresholds by false-reject rate and
/// conformal p-values (Vovk, Gammerman, Shafer, 2005). Immutable, thread-safe.
/// </summary>
public sealed class ThresholdCalibration
{
    /// <summary>The false-reject rate where none is asked for.</summary>
    public const double DefaultFalseRejectRate = 0.01;

    /// <summary>
    /// Among images that are all but identical, a difference of a few per cent makes none of them suspect.
    /// </summary>
    private const double MinSpread = 0.05;

    private readonly double[] _sorted;

    /// <summary>Calibrates on scores.</summary>
    /// <param name="scores">Leave-one-out image scores, any order, at least one, finite.</param>
    /// <exception cref="ArgumentException">No scores, or one that is not finite.</exception>
    public ThresholdCalibration(IReadOnlyList<double> scores)
    {
        if (scores.Count == 0 || scores.Any(s => !double.IsFinite(s)))
            throw new ArgumentException("Calibration needs at least one score, and finite ones.", nameof(scores));
        Scores = [.. scores];
        _sorted = [.. scores.Order()];
    }

    /// <summary>Scores in the order of the training images.</summary>
    public IReadOnlyList<double> Scores { get; }

    /// <summary>Smallest score.</summary>
    public double Min => _sorted[0];

    /// <summary>Middle score, the mean of the two middle ones for an even count.</summary>
    public double Median => RobustScale.GetMedian(_sorted);

    /// <summary>Largest score.</summary>
    public double Max => _sorted[^1];

    /// <summary>1 / (n + 1): no smaller rate can be promised from n images.</summary>
    public double MinFalseRejectRate => 1.0 / (_sorted.Length + 1);

    /// <summary>
    /// The ceil((n + 1)(1 - rate))-th smallest score; the largest where the rate is below <see
    /// cref="MinFalseRejectRate"/>.
    /// </summary>
    /// <param name="falseRejectRate">Share of normal images that may be rejected, between 0 and 1, both
    /// excluded.</param>
    public double GetThreshold(double falseRejectRate)
    {
        if (!(falseRejectRate is > 0 and < 1))
            throw new ArgumentOutOfRangeException(
                nameof(falseRejectRate),
                falseRejectRate,
                "A rate lies between 0 and 1."
            );
        // The small allowance keeps (n + 1)(1 - rate) from being rounded up past an exact integer.
        var rank = (int)Math.Ceiling((_sorted.Length + 1) * (1 - falseRejectRate) - 1e-9);
        return _sorted[Math.Clamp(rank, 1, _sorted.Length) - 1];
    }

    /// <summary>
    /// (1 + #{scores &gt; threshold}) / (n + 1): the share of normal images that a threshold is expected to reject at
    /// most; <see cref="GetThreshold"/> the other way round.
    /// </summary>
    public double GetFalseRejectRate(double threshold) =>
        Math.Min(1, (1.0 + CountAtLeast(Math.BitIncrement(threshold))) / (_sorted.Length + 1));

    /// <summary>(1 + #{scores >= score}) / (n + 1): how surprising the score would be for a normal image.</summary>
    public double GetPValue(double score) => (1.0 + CountAtLeast(score)) / (_sorted.Length + 1);

    /// <summary>
    /// Training images whose score stands far out: more than <paramref name="deviations"/> robust standard deviations
    /// (1.4826 MAD) of the logarithm above the median. They are suspects, to be looked at; nothing is removed.
    /// </summary>
    public IReadOnlyList<TrainingOutlier> FindOutliers(double deviations = 5)
    {
        var scale = RobustScale.Estimate(_sorted.Select(s => Math.Log(Math.Max(s, double.Epsilon))), MinSpread);
        var limit = Math.Exp(scale.Centre + deviations * scale.Spread);
        return
        [
            .. Scores
                .Select(
                    (score, index) => new TrainingOutlier(index, score, (double)CountAtLeast(score) / _sorted.Length)
                )
                .Where(outlier => _sorted.Length > 3 && outlier.Score > limit)
                .OrderByDescending(outlier => outlier.Score),
        ];
    }

    private int CountAtLeast(double score)
    {
        var low = 0;
        var high = _sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_sorted[middle] >= score)
                high = middle;
            else
                low = middle + 1;
        }
        return _sorted.Length - low;
    }
}
