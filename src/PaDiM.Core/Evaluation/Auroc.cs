namespace PaDiM.Core.Evaluation;

/// <summary>
/// The area under the ROC curve: the probability that an anomalous item scores higher than a normal one, where a tie
/// counts as one half.
/// </summary>
public static class Auroc
{
    /// <summary>
    /// Computes the exact area from ranks with ties averaged (Mann and Whitney, 1947). Cost: one sort.
    /// </summary>
    /// <param name="scores">Finite scores of items or pixels; sorted in place.</param>
    /// <param name="anomalous">True for each score of an anomalous item; sorted in the same order.</param>
    /// <exception cref="ArgumentException">A score is NaN.</exception>
    /// <returns>0 to 1; NaN if one of the classes is empty.</returns>
    public static double Compute(float[] scores, bool[] anomalous)
    {
        if (Array.Exists(scores, float.IsNaN))
            throw new ArgumentException("Scores must not be NaN.", nameof(scores));
        Array.Sort(scores, anomalous);
        long positives = 0,
            pairs2 = 0,
            negativesBelow = 0;
        for (int start = 0, end; start < scores.Length; start = end)
        {
            long tiedPositives = 0;
            for (end = start; end < scores.Length && scores[end] == scores[start]; end++)
                if (anomalous[end])
                    tiedPositives++;
            var tiedNegatives = end - start - tiedPositives;
            // Counts won pairs twice, so that a tie is the integer 1.
            pairs2 += tiedPositives * (2 * negativesBelow + tiedNegatives);
            positives += tiedPositives;
            negativesBelow += tiedNegatives;
        }
        return pairs2 / (2.0 * positives * negativesBelow);
    }
}
