using System.Numerics.Tensors;

namespace PaDiM.Core.DatasetReview;

/// <summary>The nearest images of each image.</summary>
internal static class NeighbourSearch
{
    /// <summary>Searches.</summary>
    /// <param name="images">At least two.</param>
    /// <param name="k">How many neighbours each image needs, at most one less than there are images.</param>
    /// <param name="parallel">Threads and cancellation.</param>
    /// <returns>For each image k to 2k others.</returns>
    /// <remarks>
    /// The plain distance, which is cheap, picks 2k candidates; the distance that overlooks small shifts then ranks
    /// them. It is never the larger of the two, and a shift of a pixel leaves a copy nearer than most images by the
    /// plain one too.
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
                    // The image itself sorts last, past every candidate.
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
