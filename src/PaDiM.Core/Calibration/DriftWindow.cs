namespace PaDiM.Core.Calibration;

/// <summary>
/// How far the last images that a model has scored lie from the leave-one-out scores that its threshold rests on: a
/// two-sample Kolmogorov-Smirnov comparison of the bodies of both distributions, and the share of images in their
/// common tail. It needs ranks only, so it holds whatever the scores are. Parts with defects fall into the tail, which
/// the comparison leaves out. One image costs O(1), a measurement O(n). Not thread-safe.
/// </summary>
/// <param name="calibrationCount">Leave-one-out scores n of the model, at least 1.</param>
/// <param name="capacity">Images that it remembers.</param>
public sealed class DriftWindow(int calibrationCount, int capacity = DriftWindow.DefaultCapacity)
{
    /// <summary>Images that are remembered where nothing else is asked for.</summary>
    public const int DefaultCapacity = 500;

    /// <summary>Fewer images in the body give no verdict.</summary>
    public const int MinImages = 30;

    /// <summary>P-values up to here are the tail.</summary>
    public const double TailPValue = 0.05;

    /// <summary>So many more images in the tail are taken for defective parts, not for drift.</summary>
    public const double ToleratedDefectShare = 0.10;

    /// <summary>Probability of one verdict where nothing drifts, in each direction.</summary>
    private const double SignificanceLevel = 1e-4;

    /// <summary>The quantile of the normal distribution that <see cref="SignificanceLevel"/> leaves above.</summary>
    private const double CriticalDeviations = 3.719;

    /// <summary>By rank: how many of the images remembered score below exactly so many leave-one-out scores.</summary>
    private readonly int[] _counts = new int[calibrationCount + 1];

    private readonly int[] _ring = new int[capacity];

    /// <summary>Ranks below it are the tail.</summary>
    private readonly int _tail = (int)Math.Floor(TailPValue * (calibrationCount + 1) + 1e-9);

    private int _count,
        _next;

    /// <summary>Adds an image; beyond the capacity the oldest one goes.</summary>
    /// <param name="pValue">As <see cref="ThresholdCalibration.GetPValue"/> of the model gave it.</param>
    public void Add(double pValue)
    {
        var rank = Math.Clamp((int)Math.Round(pValue * _counts.Length) - 1, 0, calibrationCount);
        if (_count == _ring.Length)
            _counts[_ring[_next]]--;
        else
            _count++;
        _ring[_next] = rank;
        _counts[rank]++;
        _next = (_next + 1) % _ring.Length;
    }

    /// <summary>Compares what is remembered with the leave-one-out scores.</summary>
    public ScoreDrift Measure()
    {
        var low = 0;
        foreach (var images in _counts.AsSpan(0, _tail))
            low += images;
        var body = _count - low;
        var calibrated = calibrationCount - _tail;
        var higher = 0.0;
        var lower = 0.0;
        var above = 0;
        for (var rank = _tail; rank <= calibrationCount && body > 0; rank++)
        {
            var expected = (double)(rank - _tail) / calibrated;
            lower = Math.Max(lower, expected - (double)above / body);
            above += _counts[rank];
            higher = Math.Max(higher, (double)above / body - expected);
        }
        // P(D > d) = exp(-2 d^2 m n / (m + n)) for one direction of two samples (Smirnov, 1939).
        var critical =
            body < MinImages
                ? 1
                : Math.Min(1, Math.Sqrt(-Math.Log(SignificanceLevel) / 2 * (1.0 / body + 1.0 / calibrated)));
        var lowShare = _count == 0 ? 0 : (double)low / _count;
        return new ScoreDrift(
            _count,
            lowShare,
            higher,
            lower,
            critical,
            (body >= MinImages && higher > critical)
                || (_tail > 0 && _count >= MinImages && lowShare > GetMaxLowShare()),
            body >= MinImages && lower > critical
        );
    }

    private double GetMaxLowShare()
    {
        const double share = TailPValue + ToleratedDefectShare;
        return share
            + CriticalDeviations
                * Math.Sqrt(share * (1 - share) / _count + TailPValue * (1 - TailPValue) / calibrationCount);
    }
}

/// <summary>What a <see cref="DriftWindow"/> measures.</summary>
/// <param name="Images">Images that it remembers.</param>
/// <param name="LowShare">Share of them with a p-value of at most 0.05; 0 for a model of fewer than 19 images, whose
/// p-values are not so small.</param>
/// <param name="Higher">Largest excess of the share of images above a score over that of the leave-one-out scores,
/// within the body: 0 to 1.</param>
/// <param name="Lower">The same for the share below a score.</param>
/// <param name="Critical">Either is a verdict beyond it; 1 where there are too few images for any.</param>
/// <param name="IsHigher">Scores lie higher than those that the threshold rests on: more good parts are rejected than
/// was asked for.</param>
/// <param name="IsLower">Scores lie lower: the images are not what the model was fitted to, or it has seen them
/// already.</param>
public readonly record struct ScoreDrift(
    int Images,
    double LowShare,
    double Higher,
    double Lower,
    double Critical,
    bool IsHigher,
    bool IsLower
);
