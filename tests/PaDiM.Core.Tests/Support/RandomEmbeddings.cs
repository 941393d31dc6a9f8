using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Support;

/// <summary>
/// Embeddings whose dimensions are correlated and differ per position, like those of a backbone.
/// </summary>
internal static class RandomEmbeddings
{
    /// <summary>n images: x_p = mean_p + sigma B_p z, with |mean_p| about <paramref name="mean"/>.</summary>
    public static PatchEmbedding[] Draw(int seed, int n, Grid grid, int d, double mean = 5, double sigma = 1)
    {
        var random = new Random(seed);
        var images = Enumerable.Range(0, n).Select(_ => new PatchEmbedding(grid, d)).ToArray();
        for (var p = 0; p < grid.Positions; p++)
        {
            var centre = Normals(random, d).Select(z => mean * (1 + 0.1 * z)).ToArray();
            var mixing = Enumerable.Range(0, d).Select(_ => Normals(random, d)).ToArray();
            foreach (var image in images)
            {
                var z = Normals(random, d);
                for (var i = 0; i < d; i++)
                    image[p][i] = (float)(centre[i] + sigma * mixing[i].Zip(z, (b, v) => b * v).Sum() / Math.Sqrt(d));
            }
        }
        return images;
    }

    /// <summary>The same image n times.</summary>
    public static PatchEmbedding[] Identical(int seed, int n, Grid grid, int d)
    {
        var image = Draw(seed, 1, grid, d)[0];
        return [.. Enumerable.Range(0, n).Select(_ => new PatchEmbedding(grid, d, [.. image.Values]))];
    }

    /// <summary>The vectors of all images at one position, for a reference.</summary>
    public static double[][] At(this IEnumerable<PatchEmbedding> images, int position) =>
        [.. images.Select(image => Array.ConvertAll(image[position].ToArray(), v => (double)v))];

    public static double[] Normals(Random random, int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                    Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())
                ),
        ];
}
