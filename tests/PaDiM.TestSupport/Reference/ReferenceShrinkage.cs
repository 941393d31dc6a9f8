namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of shrinkage: the two estimators written out over full matrices, one patch position, float64.
/// </summary>
public static class ReferenceShrinkage
{
    /// <summary>Fits n vectors: (1 - rho) S + (rho mu + epsilon) I with S of n - 1 degrees of freedom.</summary>
    public static ReferenceGaussian Fit(bool oas, IReadOnlyList<double[]> images, double epsilon)
    {
        var plain = ReferenceGaussian.Fit(images, 0, invert: false);
        var n = images.Count;
        var d = images[0].Length;
        var rho = n < 2 ? 0 : Intensity(oas, images, plain);
        var mu = Enumerable.Range(0, d).Sum(i => plain.Covariance[i, i]) / d;
        return plain.With((i, j) => (1 - rho) * plain.Covariance[i, j] + (i == j ? rho * mu + epsilon : 0));
    }

    /// <summary>rho, from the covariance that divides by n.</summary>
    public static double Intensity(bool oas, IReadOnlyList<double[]> images, ReferenceGaussian fit)
    {
        var n = images.Count;
        var d = images[0].Length;
        var covariance = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            covariance[i, j] = fit.Scatter[i, j] / n;
        var mu = Enumerable.Range(0, d).Average(i => covariance[i, i]);
        if (oas)
        {
            var alpha = covariance.Cast<double>().Average(v => v * v);
            var distance = (n + 1) * (alpha - mu * mu / d);
            return distance <= 0 ? 1 : Math.Min(1, (alpha + mu * mu) / distance);
        }
        var delta = 0.0;
        var beta = 0.0;
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
        {
            delta += Math.Pow(covariance[i, j] - (i == j ? mu : 0), 2);
            beta +=
                images.Sum(x => Math.Pow((x[i] - fit.Mean[i]) * (x[j] - fit.Mean[j]) - covariance[i, j], 2))
                / ((double)n * n);
        }
        return beta <= 0 || delta <= 0 ? 0 : Math.Min(beta, delta) / delta;
    }
}
