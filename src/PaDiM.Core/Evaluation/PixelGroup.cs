namespace PaDiM.Core.Evaluation;

/// <summary>The pixels of a range of scores, of all images.</summary>
/// <param name="capacity">How many there are.</param>
internal sealed class PixelGroup(int capacity)
{
    private readonly float[] normal = new float[capacity];
    private readonly List<float> anomalous = [];
    private readonly List<double> shares = [];
    private int count;

    /// <summary>Takes those pixels of an image whose group lies in the range.</summary>
    public void Take(ScoredPixels image, int low, int high)
    {
        var scores = image.Scores;
        for (var i = 0; i < scores.Length; i++)
        {
            if (ScoreGroups.Of(scores[i]) is var group && (group < low || group > high) || !image.Counts(i)) continue;
            if (image.ShareOf(i) is > 0 and var share)
            {
                anomalous.Add(scores[i]);
                shares.Add(share);
            }
            else normal[count++] = scores[i];
        }
    }

    /// <summary>Moves along the curve from the highest score of the group to its lowest; pixels that tie are one step.</summary>
    public void Sweep(ProCurve curve)
    {
        Array.Sort(normal, 0, count);
        var (keys, weights) = (anomalous.ToArray(), shares.ToArray());
        Array.Sort(keys, weights);
        for (int n = count - 1, a = keys.Length - 1; n >= 0 || a >= 0;)
        {
            var score = Math.Max(n >= 0 ? normal[n] : float.NegativeInfinity, a >= 0 ? keys[a] : float.NegativeInfinity);
            var (normals, anomalies, overlap) = (0L, 0L, 0.0);
            for (; n >= 0 && normal[n] == score; n--) normals++;
            for (; a >= 0 && keys[a] == score; a--, anomalies++) overlap += weights[a];
            curve.Step(normals, anomalies, overlap);
        }
    }
}
