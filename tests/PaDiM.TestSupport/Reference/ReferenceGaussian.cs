namespace PaDiM.TestSupport.Reference;

/// <summary>
/// The slow twin of statistics, distribution, scorer and leave-one-out at <b>one</b> patch position: textbook sums, an
/// inverse by Gauss-Jordan elimination, and refitting from scratch. All float64, nothing clever.
/// </summary>
public sealed class ReferenceGaussian
{
    private ReferenceGaussian(double[] mean, double[,] scatter, double[,] covariance, bool invert)
    {
        Mean = mean;
        Scatter = scatter;
        Covariance = covariance;
        Inverse = invert ? Invert(covariance) : covariance;
    }

    /// <summary>Length d.</summary>
    public double[] Mean { get; }

    /// <summary>M2 = sum (x - mean)(x - mean)^T.</summary>
    public double[,] Scatter { get; }

    /// <summary>M2 / (n - 1) + epsilon I; epsilon I alone for one image.</summary>
    public double[,] Covariance { get; }

    /// <summary>The inverse of <see cref="Covariance"/>.</summary>
    public double[,] Inverse { get; }

    /// <summary>The same mean and scatter with another covariance.</summary>
    public ReferenceGaussian With(Func<int, int, double> covariance)
    {
        var d = Mean.Length;
        var changed = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            changed[i, j] = covariance(i, j);
        return new ReferenceGaussian(Mean, Scatter, changed, invert: true);
    }

    /// <summary>Fits n vectors of length d.</summary>
    public static ReferenceGaussian Fit(IReadOnlyList<double[]> images, double epsilon, bool invert = true)
    {
        var n = images.Count;
        var d = images[0].Length;
        var mean = new double[d];
        foreach (var x in images)
            for (var j = 0; j < d; j++)
                mean[j] += x[j] / n;
        var scatter = new double[d, d];
        foreach (var x in images)
            for (var i = 0; i < d; i++)
            for (var j = 0; j < d; j++)
                scatter[i, j] += (x[i] - mean[i]) * (x[j] - mean[j]);
        var covariance = new double[d, d];
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            covariance[i, j] = scatter[i, j] / Math.Max(1, n - 1) + (i == j ? epsilon : 0);
        return new ReferenceGaussian(mean, scatter, covariance, invert);
    }

    /// <summary>sqrt((x - mean)^T Cov^-1 (x - mean)).</summary>
    public double Distance(double[] x)
    {
        var sum = 0.0;
        for (var i = 0; i < x.Length; i++)
        for (var j = 0; j < x.Length; j++)
            sum += (x[i] - Mean[i]) * Inverse[i, j] * (x[j] - Mean[j]);
        return Math.Sqrt(sum);
    }

    /// <summary>The distance of one image from the Gaussian refitted to all the others.</summary>
    public static double LeaveOneOut(IReadOnlyList<double[]> images, int left, double epsilon) =>
        Fit([.. images.Where((_, i) => i != left)], epsilon).Distance(images[left]);

    /// <summary>Gauss-Jordan elimination with the largest pivot of each column.</summary>
    public static double[,] Invert(double[,] matrix)
    {
        var d = matrix.GetLength(0);
        var left = (double[,])matrix.Clone();
        var right = new double[d, d];
        for (var i = 0; i < d; i++)
            right[i, i] = 1;
        for (var column = 0; column < d; column++)
        {
            var pivot = column;
            for (var row = column + 1; row < d; row++)
                if (Math.Abs(left[row, column]) > Math.Abs(left[pivot, column]))
                    pivot = row;
            var scale = left[pivot, column];
            for (var k = 0; k < d; k++)
            {
                (left[pivot, k], left[column, k]) = (left[column, k], left[pivot, k] / scale);
                (right[pivot, k], right[column, k]) = (right[column, k], right[pivot, k] / scale);
            }
            for (var row = 0; row < d; row++)
            {
                var factor = left[row, column];
                if (row == column || factor == 0)
                    continue;
                for (var k = 0; k < d; k++)
                {
                    left[row, k] -= factor * left[column, k];
                    right[row, k] -= factor * right[column, k];
                }
            }
        }
        return right;
    }
}
