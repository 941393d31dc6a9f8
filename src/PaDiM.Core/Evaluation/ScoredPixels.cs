using System.Numerics.Tensors;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Evaluation;

/// <summary>A test image's map with what each of its pixels counts as. Immutable, thread-safe.</summary>
public sealed class ScoredPixels
{
    private readonly AnomalyMap _map;
    private readonly PixelLabels _labels;

    /// <summary>A map and its labels.</summary>
    /// <param name="labels">What each pixel counts as.</param>
    /// <param name="map">Scores at the labels' size, finite, at least 0.</param>
    /// <exception cref="ArgumentException">The labels have another size, or a score is negative or not a
    /// number.</exception>
    public ScoredPixels(PixelLabels labels, AnomalyMap map)
    {
        if (labels.Size != map.Grid)
            throw new ArgumentException($"A map of {map.Grid} cannot have labels of {labels.Size}.", nameof(map));
        if (!(TensorPrimitives.Min<float>(map.Values) >= 0))
            throw new ArgumentException("Scores must be numbers of at least 0.", nameof(map));
        _map = map;
        _labels = labels;
    }

    /// <summary>A map, its mask and what is left out of it.</summary>
    /// <param name="map">Scores at the mask's size, finite, at least 0.</param>
    /// <param name="mask">Shape of the map, true where the defect is; null for a normal image.</param>
    /// <param name="ignored">Shape of the map, true where a pixel counts neither as normal nor as anomalous; null where
    /// all count.</param>
    /// <exception cref="ArgumentException">The mask, or what is ignored, has another size, or a score is negative or
    /// not a number.</exception>
    public ScoredPixels(AnomalyMap map, bool[]? mask, bool[]? ignored = null)
        : this(new PixelLabels(map.Grid, mask, ignored), map) { }

    /// <summary>Scores, row-major.</summary>
    public ReadOnlySpan<float> Scores => _map.Values;

    /// <summary>Number of defect regions.</summary>
    public int Regions => _labels.Regions;

    /// <summary>Visits the scores of normal pixels, a stretch between two runs at a time.</summary>
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
    /// Visits the scores of anomalous pixels in reading order, each stretch with the share that a pixel of it is of its
    /// region.
    /// </summary>
    internal void VisitAnomalous(Action<ReadOnlySpan<float>, double> visit)
    {
        foreach (var run in _labels.Runs)
            if (run.Region != PixelLabels.Ignored)
                visit(Scores[run.Start..run.End], _labels.GetPixelShare(run));
    }
}
