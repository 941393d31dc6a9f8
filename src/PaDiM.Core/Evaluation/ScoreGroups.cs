namespace PaDiM.Core.Evaluation;

/// <summary>
/// Splits scores into groups that can be sorted one after the other. The upper half of the bits of a float of at least 0 orders as the float does, so groups are
/// ranges of that half.
/// </summary>
internal static class ScoreGroups
{
    public const int Count = 1 << 16;

    public static int Of(float score) => (int)(BitConverter.SingleToUInt32Bits(score + 0f) >> 16);

    /// <summary>Ranges from the highest scores down, each of at most so many pixels but for a single group that has more.</summary>
    public static IEnumerable<(int Low, int High, long Pixels)> Split(long[] counts, long atMost)
    {
        var (high, pixels) = (counts.Length - 1, 0L);
        for (var low = counts.Length - 1; low >= 0; low--)
        {
            if (pixels > 0 && pixels + counts[low] > atMost)
            {
                yield return (low + 1, high, pixels);
                (high, pixels) = (low, 0);
            }
            pixels += counts[low];
        }
        if (pixels > 0) yield return (0, high, pixels);
    }
}
