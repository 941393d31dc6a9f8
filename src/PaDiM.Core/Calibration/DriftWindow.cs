namespace PaDiM.Core.Calibration;

/// <summary>
/// Measures how far the latest scores of a model drift from the leave-one-out scores that its threshold is based on: a
/// two-sample Kolmogorov-Smirnov comparison of the bodies of both distributions, and the share of images in the tail.
/// It uses ranks only, so it does not depend on the distribution of scores. Parts with defects fall into the tail,
/// which the comparison excludes. Adding an image costs O(1), a measurement O(n). Not thread-safe.
/// </summary>
/// <param name="calibrationCount">Number n of leave-one-out scores of the model, at least 1.</param>
/// <param name="capacity">Number of images in the window.</param>
public sealed class DriftWindow(int calibrationCount, int capacity = DriftWindow.DefaultCapacity)
{
    /// <summary>The default number of images in the window.</summary>
    public const int DefaultCapacity = 500;

    /// <summary>The number of images in the body below which there is no verdict.</summary>
    public const int MinImages = 30;

    /// <summary>The largest p-value of the tail.</summary>
    public const double TailPValue = 0.05;

    /// <summary>The share of additional images in the tail that counts as defective parts, not as drift.</summary>
    public const double ToleratedDefectShare = 0.10;

    /// <summary>The probability of a verdict without drift, in each direction.</summary>
    private const double SignificanceLevel = 1e-4;

    /// <summary>The quantile of the normal distribution that <see cref="SignificanceLevel"/> leaves above.</summary>
    private const double CriticalDeviations = 3.719;

    /// <summary>Per rank r, the number of images that score below exactly r leave-one-out scores.</summary>
    private readonly int[] _counts = new int[calibrationCount + 1];

    private readonly int[] _ring = new int[capacity];

    /// <summary>The number of ranks in the tail, which are the lowest ones.</summary>
    private readonly int _tail = (int)Math.Floor(TailPValue * (calibrationCount + 1) + 1e-9);

    private int _count,
        _next;

    /// <summary>Adds an image, and removes the oldest one if the window is full.</summary>
    /// <param name="pValue">The p-value of its score by <see cref="ThresholdCalibration.GetPValue"/> of the
    /// model.</param>
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

    /// <summary>Compares the images in the window with the leave-one-out scores.</summary>
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

/// <summary>A measurement by <see cref="DriftWindow"/>.</summary>
/// <param name="Images">Number of images in the window.</param>
/// <param name="LowShare">Share of images with a p-value of at most 0.05; 0 for a model with fewer than 19 images,
/// whose p-values never get so small.</param>
/// <param name="Higher">Largest excess of the share of images above a score over that of the leave-one-out scores,
/// within the body: 0 to 1.</param>
/// <param name="Lower">The same for the share below a score.</param>
/// <param name="Critical">The value of Higher or Lower above which there is a verdict; 1 if there are too few
/// images.</param>
/// <param name="IsHigher">True if scores are higher than the threshold's basis: more good parts are rejected than
/// configured.</param>
/// <param name="IsLower">True if scores are lower: the images differ from those that the model was fitted to, or are
/// those very images.</param>
public readonly record struct ScoreDrift(
    int Images,
    double LowShare,
    double Higher,
    double Lower,
    double Critical,
    bool IsHigher,
    bool IsLower
);
