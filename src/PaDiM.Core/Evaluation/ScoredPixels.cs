using System.Numerics.Tensors;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Evaluation;

/// <summary>The map of a test image with the labels of its pixels. Immutable, thread-safe.</summary>
public sealed class ScoredPixels
{
    private readonly AnomalyMap _map;
    private readonly PixelLabels _labels;

    /// <summary>Combines a map with labels.</summary>
    /// <param name="labels">Labels of all pixels.</param>
    /// <param name="map">Scores at the size of the labels, finite, at least 0.</param>
    /// <exception cref="ArgumentException">The labels have another size, or a score is negative or NaN.</exception>
    public ScoredPixels(PixelLabels labels, AnomalyMap map)
    {
        if (labels.Size != map.Grid)
            throw new ArgumentException($"A map with {map.Grid} cannot have labels with {labels.Size}.", nameof(map));
        if (!(TensorPrimitives.Min<float>(map.Values) >= 0))
            throw new ArgumentException("Scores must be numbers of at least 0.", nameof(map));
        _map = map;
        _labels = labels;
    }

    /// <summary>Combines a map with masks.</summary>
    /// <param name="map">Scores at the size of the masks, finite, at least 0.</param>
    /// <param name="mask">Shape of the map, true where the defect is; null for a normal image.</param>
    /// <param name="ignored">Shape of the map, true where a pixel counts neither as normal nor as anomalous; null if
    /// all count.</param>
    /// <exception cref="ArgumentException">A mask has another size, or a score is negative or NaN.</exception>
    public ScoredPixels(AnomalyMap map, bool[]? mask, bool[]? ignored = null)
        : this(new PixelLabels(map.Grid, mask, ignored), map) { }

    /// <summary>Gets the scores, row-major.</summary>
    public ReadOnlySpan<float> Scores => _map.Values;

    /// <summary>Gets the number of defect regions.</summary>
    public int Regions => _labels.Regions;

    /// <summary>Visits the scores of normal pixels, from one run to the next at a time.</summary>
    internal void VisitNormal(Action<ReadOnlySpan<float>> visit)
    {
        var at = 0;
        foreach (var run in _labels.Runs)
        {
            if (run.Start > at)
                visit(Scores[at..run.Start]);
            at = run.End;
        }
        if (at < Scores.Length)
            visit(Scores[at..]);
    }

    /// <summary>
    /// Visits the scores of anomalous pixels in reading order, one run at a time, with the share of the region that
    /// each of its pixels is.
    /// </summary>
    internal void VisitAnomalous(Action<ReadOnlySpan<float>, double> visit)
    {
        foreach (var run in _labels.Runs)
            if (run.Region != PixelLabels.Ignored)
                visit(Scores[run.Start..run.End], _labels.GetPixelShare(run));
    }
}
