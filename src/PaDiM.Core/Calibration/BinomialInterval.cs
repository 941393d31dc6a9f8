namespace PaDiM.Core.Calibration;

/// <summary>
/// A share that was estimated from a number of independent trials, with its exact confidence interval (Clopper, Pearson,
/// 1934): whatever the true share is, the interval contains it at least as often as stated. It is never too narrow, also
/// where none or all of few trials succeeded.
/// </summary>
/// <param name="Estimate">The share that was seen.</param>
/// <param name="Low">The lower end, 0 to 1.</param>
/// <param name="High">The upper end, 0 to 1.</param>
public sealed record BinomialInterval(double Estimate, double Low, double High)
{
    /// <summary>The usual confidence.</summary>
    public const double DefaultConfidence = 0.95;

    /// <summary>Terms of the continued fraction; it needs about the square root of the number of trials.</summary>
    private const int MaxTerms = 100_000;

    /// <summary>From here on, Stirling's series has all digits of a double with four terms.</summary>
    private const double SeriesFrom = 20;

    /// <summary>Creates the interval of a share.</summary>
    /// <param name="successes">Number of successes, 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">Number of trials, at least 1.</param>
    /// <param name="confidence">How often the interval contains the true share at least, above 0 and below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public static BinomialInterval Create(long successes, long trials, double confidence = DefaultConfidence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, trials);
        if (!(confidence is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "It must be above 0 and below 1.");
        var tail = (1 - confidence) / 2;
        // P(X >= k) = I_p(k, n - k + 1): at the lower end, as many successes or more are as rare as the tail.
        return new BinomialInterval(
            (double)successes / trials,
            successes == 0 ? 0 : FindShare(successes, trials - successes + 1, tail),
            successes == trials ? 1 : FindShare(successes + 1, trials - successes, 1 - tail)
        );
    }

    /// <summary>Finds the p at which I_p(a, b) has a value. It grows with p.</summary>
    private static double FindShare(double a, double b, double value)
    {
        var low = 0.0;
        var high = 1.0;
        while ((low + high) / 2 is var middle && middle > low && middle < high)
            if (ComputeIncompleteBeta(a, b, middle) < value)
                low = middle;
            else
                high = middle;
        return high;
    }

    /// <summary>Computes I_x(a, b), the regularised incomplete beta function.</summary>
    private static double ComputeIncompleteBeta(double a, double b, double x)
    {
        var factor = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * LogOneMinus(x));
        // The fraction converges fast below the mean, and its mirror image above it.
        return x < (a + 1) / (a + b + 2)
            ? factor * ComputeFraction(a, b, x) / a
            : 1 - factor * ComputeFraction(b, a, 1 - x) / b;
    }

    /// <summary>The continued fraction 8.17.22 of the NIST Handbook of Mathematical Functions, by Lentz's method.</summary>
    private static double ComputeFraction(double a, double b, double x)
    {
        const double tiny = 1e-300;
        static double NotZero(double value) => Math.Abs(value) < tiny ? tiny : value;

        var c = 1.0;
        var d = 1 / NotZero(1 - (a + b) * x / (a + 1));
        var fraction = d;
        for (var m = 1; m <= MaxTerms; m++)
        {
            var even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / NotZero(1 + even * d);
            c = NotZero(1 + even / c);
            fraction *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / NotZero(1 + odd * d);
            c = NotZero(1 + odd / c);
            fraction *= d * c;
            if (Math.Abs(d * c - 1) < 1e-15)
                break;
        }
        return fraction;
    }

    /// <summary>Computes log(1 - x) also where 1 - x has lost the digits of x (Kahan).</summary>
    private static double LogOneMinus(double x)
    {
        var rest = 1 - x;
        return rest >= 1 ? -x : Math.Log(rest) * x / (1 - rest);
    }

    private static double LogGamma(double x)
    {
        // Gamma(x + 1) = x Gamma(x).
        var product = 1.0;
        for (; x < SeriesFrom; x++)
            product *= x;
        var square = 1 / (x * x);
        var series = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / x;
        return (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series - Math.Log(product);
    }
}
