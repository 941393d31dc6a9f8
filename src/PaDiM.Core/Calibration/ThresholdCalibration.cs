namespace PaDiM.Core.Calibration;

/// <summary>
/// Thresholds by false-reject rate, and conformal p-values (Vovk, Gammerman, Shafer, 2005), from the leave-one-out
/// image scores of the normal training images. Immutable, thread-safe.
/// </summary>
public sealed class ThresholdCalibration
{
    /// <summary>The default false-reject rate.</summary>
    public const double DefaultFalseRejectRate = 0.01;

    /// <summary>
    /// The least spread of the logarithm of scores: among almost identical images, a difference of a few per cent makes
    /// none of them an outlier.
    /// </summary>
    private const double MinSpread = 0.05;

    /// <summary>
    /// The least threshold. Where all training images are equal, rounding alone gives scores of up to 1e-5: a threshold
    /// below it would reject the training images themselves.
    /// </summary>
    private const double MinThreshold = 1e-4;

    private readonly double[] _sorted;

    /// <summary>Creates a calibration.</summary>
    /// <param name="scores">Leave-one-out image scores in any order; at least one, all finite.</param>
    /// <param name="uncounted">Indices of scores that do not count, because a twin of the image was left in; null for
    /// none. At least one score must count.</param>
    /// <exception cref="ArgumentException">No score counts, or one is not finite.</exception>
    public ThresholdCalibration(IReadOnlyList<double> scores, IReadOnlyList<int>? uncounted = null)
    {
        if (scores.Count == 0 || scores.Any(s => !double.IsFinite(s)))
            throw new ArgumentException(
                "Calibration needs at least one score, and all scores must be finite.",
                nameof(scores)
            );
        Scores = [.. scores];
        Uncounted = [.. (uncounted ?? []).Order()];
        var left = Uncounted.ToHashSet();
        _sorted = [.. scores.Where((_, i) => !left.Contains(i)).Order()];
        if (_sorted.Length == 0)
            throw new ArgumentException("At least one score must count.", nameof(uncounted));
    }

    /// <summary>Gets the scores in the order of the training images.</summary>
    public IReadOnlyList<double> Scores { get; }

    /// <summary>Gets the indices of the scores that do not count, in ascending order.</summary>
    public IReadOnlyList<int> Uncounted { get; }

    /// <summary>Gets the number n of scores that count.</summary>
    public int Count => _sorted.Length;

    /// <summary>Gets the smallest score.</summary>
    public double Min => _sorted[0];

    /// <summary>Gets the middle score, or the mean of the two middle ones for an even count.</summary>
    public double Median => RobustScale.GetMedian(_sorted);

    /// <summary>Gets the largest score.</summary>
    public double Max => _sorted[^1];

    /// <summary>Gets 1 / (n + 1), the smallest false-reject rate that n images can guarantee.</summary>
    public double SmallestFalseRejectRate => 1.0 / (_sorted.Length + 1);

    /// <summary>
    /// Gets the ceil((n + 1)(1 - rate))-th smallest score, or the largest one if the rate is below <see
    /// cref="SmallestFalseRejectRate"/>. If several scores are equal to it, gets the number just above them: a new
    /// image may tie with them too, and "at or above" would then reject more than the rate.
    /// </summary>
    /// <param name="falseRejectRate">Share of normal images that may be rejected, above 0 and below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range.</exception>
    public double GetThreshold(double falseRejectRate)
    {
        if (!(falseRejectRate is > 0 and < 1))
            throw new ArgumentOutOfRangeException(
                nameof(falseRejectRate),
                falseRejectRate,
                "The rate must be above 0 and below 1."
            );
        // The small allowance keeps (n + 1)(1 - rate) from being rounded up past an exact integer.
        var rank = (int)Math.Ceiling((_sorted.Length + 1) * (1 - falseRejectRate) - 1e-9);
        var score = _sorted[Math.Clamp(rank, 1, _sorted.Length) - 1];
        return Math.Max(MinThreshold, CountTies(score) > 1 ? Math.BitIncrement(score) : score);
    }

    /// <summary>
    /// Gets (1 + #{scores &gt; threshold}) / (n + 1), the largest expected share of normal images that a threshold
    /// rejects; the inverse of <see cref="GetThreshold"/>. If several scores are equal to the threshold, they count
    /// too.
    /// </summary>
    public double GetFalseRejectRate(double threshold) =>
        Math.Min(
            1,
            (1.0 + CountAtLeast(CountTies(threshold) > 1 ? threshold : Math.BitIncrement(threshold)))
                / (_sorted.Length + 1)
        );

    /// <summary>
    /// Gets the conformal p-value (1 + #{scores >= score}) / (n + 1): the smaller, the more surprising for a normal
    /// image.
    /// </summary>
    public double GetPValue(double score) => (1.0 + CountAtLeast(score)) / (_sorted.Length + 1);

    /// <summary>
    /// Finds training images whose score is more than <paramref name="deviations"/> robust standard deviations (1.4826
    /// MAD) of the logarithm above the median, highest score first. A person should look at them; nothing is removed.
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

    private int CountTies(double score) => CountAtLeast(score) - CountAtLeast(Math.BitIncrement(score));

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
