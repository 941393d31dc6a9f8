using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// The exact distance of each training image from the distribution that is fitted without it.
/// </summary>
public abstract class LeaveOneOut
{
    private protected LeaveOneOut(Grid grid, int dimensions)
    {
        Grid = grid;
        Dimensions = dimensions;
    }

    private protected Grid Grid { get; }

    private protected int Dimensions { get; }

    /// <summary>
    /// Prepares the distances of all training images. Where positions have Gaussians of their own, factorises the
    /// scatter at each position <b>in place</b>: the scatter of <paramref name="statistics"/> is overwritten, which
    /// avoids a second copy of hundreds of megabytes.
    /// </summary>
    /// <exception cref="ArgumentException">There are fewer than two images.</exception>
    public static LeaveOneOut Consume(
        TrainingStatistics statistics,
        Regularisation regularisation,
        ParallelOptions? parallel = null
    )
    {
        if (statistics.Count < 2)
            throw new ArgumentException(
                $"Leaving one image out needs at least 2 images, not {statistics.Count}.",
                nameof(statistics)
            );
        if (statistics is SharedStatistics shared)
            return new LeaveOneOutOfAllPositions(shared, regularisation);
        var own = (PatchStatistics)statistics;
        return regularisation.Shrinkage == ShrinkageMethod.None && regularisation.RelativeRidge == 0
            ? new LeaveOneOutSharedRidge(own, regularisation, parallel ?? Partition.AllCores)
            : new LeaveOneOutPerImageRidge(own, regularisation, parallel ?? Partition.AllCores);
    }

    /// <summary>Computes the leave-one-out distances of training images, one map per image.</summary>
    /// <param name="batch">Embeddings that are part of the statistics.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <exception cref="ArgumentException">An embedding has another shape than the statistics.</exception>
    public AnomalyMap[] ComputeDistances(IReadOnlyList<PatchEmbedding> batch, ParallelOptions? parallel = null)
    {
        foreach (var embedding in batch)
            if (embedding.Grid != Grid || embedding.Dimensions != Dimensions)
                throw new ArgumentException(
                    $"An embedding with {embedding.Grid} and {embedding.Dimensions} dimensions does not fit statistics "
                        + $"with {Grid} and {Dimensions} dimensions.",
                    nameof(batch)
                );
        return Compute(batch, parallel ?? Partition.AllCores);
    }

    /// <summary>Computes the distances of images of the right shape.</summary>
    private protected abstract AnomalyMap[] Compute(IReadOnlyList<PatchEmbedding> batch, ParallelOptions parallel);
}
