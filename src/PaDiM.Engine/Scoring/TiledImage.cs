using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// An image that is scored tile by tile: prepare a batch, pass it through the backbone, add its distances, until there
/// are no more tiles. Only the distances are kept. Reads the image as long as it lives. Not thread-safe.
/// </summary>
public sealed class TiledImage : IDisposable
{
    private readonly ModelScorer _scorer;
    private readonly TileReader _reader;
    private readonly TileRun _run;
    private readonly AnomalyMap _distances;

    internal TiledImage(ModelScorer scorer, TileReader reader, RigidTransform? found)
    {
        _scorer = scorer;
        _reader = reader;
        // A region is cut out where the part was found, before its tiles are.
        Placement = found ?? reader.Placement;
        _run = new TileRun(scorer.Embedder, reader);
        var grid = scorer.Model.Distribution.Grid;
        _distances = new AnomalyMap(grid, new float[grid.Positions]);
    }

    /// <summary>Gets the prepared tiles of the batch, shape <c>(Count, 3, size, size)</c>.</summary>
    public float[] Prepared => _run.Prepared;

    /// <summary>Gets the number of tiles of the batch.</summary>
    public int Count => _run.Count;

    /// <summary>Gets whether there are more tiles behind those of the batch.</summary>
    public bool HasMore => _run.HasMore;

    /// <summary>Gets the position of the part in the image; the identity without alignment.</summary>
    public RigidTransform Placement { get; }

    /// <summary>Gets the distances of the whole image, once all tiles have been added.</summary>
    public RawMap Map => new RawMap.Patches(_distances);

    /// <summary>Prepares the next batch; false if there are no more tiles.</summary>
    /// <param name="most">The most tiles of the batch.</param>
    public bool PrepareNext(int most) => _run.PrepareNext(most);

    /// <summary>Computes the distances of the batch.</summary>
    /// <param name="features">The features of the batch, perhaps with others.</param>
    /// <param name="first">Index of the first tile's features.</param>
    /// <param name="compute">Where to compute.</param>
    public void Add(BackboneFeatures features, int first, ComputeContext compute) =>
        MahalanobisScorer.ComputeDistances(
            _scorer.Model.Distribution,
            _run.Locate(features, first),
            _distances,
            compute.ToParallelOptions()
        );

    /// <summary>Measures the image; all tiles have been prepared, and it was opened to be measured.</summary>
    public InputTraits Measure() => _reader.Measure();

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _reader.Dispose();
    }
}
