namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of one Gaussian for all positions: every patch of every image in one list, weighted sums, full
/// matrices, an inverse, refitting from scratch. Float64.
/// </summary>
/// <param name="Ridge">The ridge as a share of the mean variance; 0 for epsilon.</param>
/// <param name="Shares">The share of each position that counts; null if all count.</param>
/// <param name="Oas">Whether the covariance is shrunk by OAS.</param>
/// <param name="Epsilon">Added to every variance where the ridge is 0.</param>
public sealed record ReferenceShared(double Ridge, double[]? Shares = null, bool Oas = false, double Epsilon = 0.01)
{
    /// <summary>Mean and covariance without ridge, of images by position.</summary>
    public (double[] Mean, double[,] Covariance) Fit(IReadOnlyList<double[][]> images)
    {
        var d = images[0][0].Length;
        var patches = images.SelectMany(image => image.Select((x, p) => (x, w: Shares?[p] ?? 1))).ToArray();
        var total = patches.Sum(patch => patch.w);
        var freedom = total - patches.Sum(patch => patch.w * patch.w) / total;
        var mean = new double[d];
        for (var j = 0; j < d; j++)
            mean[j] = patches.Sum(patch => patch.w * patch.x[j]) / total;
        var covariance = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            covariance[i, j] =
                freedom > 1e-9
                    ? patches.Sum(patch => patch.w * (patch.x[i] - mean[i]) * (patch.x[j] - mean[j])) / freedom
                    : 0;
        return (mean, covariance);
    }

    /// <summary>The distances of the patches of an image, by position.</summary>
    public double[] Distances(IReadOnlyList<double[][]> images, double[][] x)
    {
        var (mean, covariance) = Fit(images);
        var d = mean.Length;
        var variance = Enumerable.Range(0, d).Average(j => covariance[j, j]);
        var ridge = Ridge > 0 ? Math.Max(Ridge * variance, 1e-6) : Epsilon;
        var rho = Oas ? Intensity(images, covariance) : 0;
        var regular = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            regular[i, j] = (1 - rho) * covariance[i, j] + (i == j ? rho * variance + ridge : 0);
        var inverse = ReferenceGaussian.Invert(regular);
        return
        [
            .. x.Select(patch =>
            {
                var sum = 0.0;
                for (var i = 0; i < d; i++)
                for (var j = 0; j < d; j++)
                    sum += (patch[i] - mean[i]) * inverse[i, j] * (patch[j] - mean[j]);
                return Math.Sqrt(sum);
            }),
        ];
    }

    /// <summary>The distances of an image from the Gaussian refitted to all the others.</summary>
    public double[] LeaveOneOut(IReadOnlyList<double[][]> images, int left) =>
        Distances([.. images.Where((_, i) => i != left)], images[left]);

    /// <summary>Equation 23 of Chen et al., for as many whole samples as the shares amount to.</summary>
    private double Intensity(IReadOnlyList<double[][]> images, double[,] covariance)
    {
        var d = covariance.GetLength(0);
        var shares = images.SelectMany(image => image.Select((_, p) => Shares?[p] ?? 1)).ToArray();
        var n = Math.Round(Math.Pow(shares.Sum(), 2) / shares.Sum(w => w * w));
        var biased = covariance.Cast<double>().Select(v => v * (n - 1) / n).ToArray();
        var mu = Enumerable.Range(0, d).Average(j => biased[j * d + j]);
        var alpha = biased.Average(v => v * v);
        return Math.Min(1, (alpha + mu * mu) / ((n + 1) * (alpha - mu * mu / d)));
    }
}
