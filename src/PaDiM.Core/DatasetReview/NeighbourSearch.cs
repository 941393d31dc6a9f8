using System.Numerics.Tensors;

namespace PaDiM.Core.DatasetReview;

/// <summary>Searches for the nearest images of each image.</summary>
internal static class NeighbourSearch
{
    /// <summary>Finds the neighbours of all images. Cost: one distance per pair of images.</summary>
    /// <param name="images">At least two images.</param>
    /// <param name="k">Least number of neighbours per image, below the number of images.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    /// <returns>For each image k to 2k others.</returns>
    /// <remarks>
    /// The plain distance is cheap and picks 2k candidates; the tangent distance, which ignores small shifts, then
    /// ranks them. The tangent distance is never larger than the plain one, and even by the plain distance a copy that
    /// is shifted by a pixel is nearer than most images.
    /// </remarks>
    public static Neighbourhood[] FindAll(IReadOnlyList<ImageTraits> images, int k, ParallelOptions parallel)
    {
        var count = Math.Min(images.Count - 1, 2 * k);
        var thumbnails = images.Select(image => new TangentThumbnail(image.Thumbnail)).ToArray();
        var result = new Neighbourhood[images.Count];
        Partition.Run(
            images.Count,
            parallel,
            () =>
                (
                    Distances: new float[images.Count],
                    Indices: new int[images.Count],
                    Buffers: new TangentThumbnail.Buffers()
                ),
            (i, scratch) =>
            {
                for (var j = 0; j < images.Count; j++)
                {
                    scratch.Indices[j] = j;
                    // The image itself is sorted last.
                    scratch.Distances[j] =
                        i == j
                            ? float.PositiveInfinity
                            : TensorPrimitives.Distance(images[i].Thumbnail, images[j].Thumbnail);
                }
                Array.Sort(scratch.Distances, scratch.Indices);
                var middle = Math.Max(
                    TangentThumbnail.MinDistance,
                    scratch.Distances[(images.Count - 2) / 2] / ImageTraits.ThumbnailSide
                );
                result[i] = new Neighbourhood(
                    [
                        .. scratch
                            .Indices.Take(count)
                            .Select(j => new Neighbour(
                                j,
                                thumbnails[Math.Min(i, j)]
                                    .ComputeLogDistance(thumbnails[Math.Max(i, j)], scratch.Buffers)
                            ))
                            .OrderBy(n => n.LogDistance)
                            .ThenBy(n => n.Index),
                    ],
                    Math.Log(middle)
                );
            }
        );
        return result;
    }
}
