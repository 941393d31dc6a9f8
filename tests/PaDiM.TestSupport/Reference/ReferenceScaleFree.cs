namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of the relative ridge and of the weights of quiet positions: every position in turn, full matrices,
/// float64. It needs all positions at once, since each is compared with all of them.
/// </summary>
/// <param name="Ridge">The ridge as a share of the mean variance.</param>
/// <param name="Exponent">The exponent of the weights.</param>
/// <param name="Shares">The share of each position that counts; null if all count.</param>
/// <param name="Epsilon">Added to every variance where the ridge is 0.</param>
/// <param name="Oas">True for OAS, false for Ledoit and Wolf; null for no shrinkage.</param>
public sealed record ReferenceScaleFree(
    double Ridge,
    double Exponent,
    double[]? Shares = null,
    double Epsilon = 0.01,
    bool? Oas = null
)
{
    /// <summary>The distances of an image from the Gaussians of others, shape (positions).</summary>
    /// <param name="images">Vectors by position and image.</param>
    /// <param name="x">The vectors of the image.</param>
    public double[] Distances(IReadOnlyList<double[][]> images, IReadOnlyList<double[]> x)
    {
        var variances = images.Select(Variance).ToArray();
        var shares = Shares ?? [.. images.Select(_ => 1.0)];
        var mean = variances.Zip(shares, (v, s) => v * s).Sum() / shares.Sum();
        var ridge = Ridge > 0 ? Math.Max(Ridge * mean, 1e-6) : Epsilon;
        return
        [
            .. images.Select(
                (vectors, p) =>
                {
                    var gaussian = Oas is { } oas
                        ? ReferenceShrinkage.Fit(oas, vectors, ridge)
                        : ReferenceGaussian.Fit(vectors, ridge);
                    var weight =
                        Exponent == 0 || mean == 0 ? 1 : Math.Pow(Math.Min(1, variances[p] / (0.5 * mean)), Exponent);
                    return Math.Sqrt(weight) * gaussian.Distance(x[p]);
                }
            ),
        ];
    }

    /// <summary>The distances of an image from the Gaussians refitted to all the others.</summary>
    public double[] LeaveOneOut(IReadOnlyList<double[][]> images, int left) =>
        Distances(
            [.. images.Select(vectors => vectors.Where((_, i) => i != left).ToArray())],
            [.. images.Select(vectors => vectors[left])]
        );

    private static double Variance(double[][] vectors)
    {
        var mean = Enumerable.Range(0, vectors[0].Length).Select(j => vectors.Average(x => x[j])).ToArray();
        return vectors.Sum(x => x.Zip(mean, (v, m) => (v - m) * (v - m)).Sum())
            / ((vectors.Length - 1.0) * mean.Length);
    }
}
