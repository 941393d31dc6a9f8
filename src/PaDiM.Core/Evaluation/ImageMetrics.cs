namespace PaDiM.Core.Evaluation;

/// <summary>How well image scores separate anomalous from normal images, independent of a threshold.</summary>
/// <param name="Auroc">Area under the ROC curve, 0 to 1; NaN if one of the classes is empty.</param>
/// <param name="AveragePrecision">Sum of precision times step of recall over all thresholds; NaN without anomalous
/// images.</param>
/// <param name="F1Max">Largest harmonic mean of precision and recall over all thresholds; NaN without anomalous
/// images.</param>
/// <param name="F1MaxThreshold">The score at or above which images are anomalous at that point.</param>
public sealed record ImageMetrics(double Auroc, double AveragePrecision, double F1Max, double F1MaxThreshold)
{
    /// <summary>Computes the metrics of scores. Cost: one sort.</summary>
    /// <param name="scores">Finite image scores.</param>
    /// <param name="anomalous">True for each score of an anomalous image.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a score is NaN.</exception>
    public static ImageMetrics Compute(IReadOnlyList<float> scores, IReadOnlyList<bool> anomalous)
    {
        if (scores.Count != anomalous.Count)
            throw new ArgumentException("There must be one label per score.", nameof(anomalous));
        float[] keys = [.. scores];
        bool[] labels = [.. anomalous];
        var auroc = Evaluation.Auroc.Compute(keys, labels);
        var total = labels.Count(label => label);
        if (total == 0)
            return new ImageMetrics(auroc, double.NaN, double.NaN, double.NaN);
        var hits = 0;
        var taken = 0;
        var average = 0.0;
        var best = 0.0;
        var bestAt = double.NaN;
        // Auroc.Compute sorted the scores in ascending order; images with equal scores are handled together.
        for (var i = keys.Length - 1; i >= 0; )
        {
            var score = keys[i];
            var before = hits;
            for (; i >= 0 && keys[i] == score; i--, taken++)
                if (labels[i])
                    hits++;
            var precision = (double)hits / taken;
            average += precision * (hits - before) / total;
            if (2.0 * hits / (taken + total) is var f1 && f1 > best)
            {
                best = f1;
                bestAt = score;
            }
        }
        return new ImageMetrics(auroc, average, best, bestAt);
    }
}
