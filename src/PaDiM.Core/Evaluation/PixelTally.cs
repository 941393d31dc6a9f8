namespace PaDiM.Core.Evaluation;

/// <summary>
/// Counts the pixels of one pool of images per rank of their scores, for one range of ranks at a time.
/// </summary>
/// <param name="ranks">The distinct scores of anomalous pixels.</param>
/// <param name="capacity">Largest number of ranks in a range.</param>
internal sealed class PixelTally(ScoreRanks ranks, int capacity)
{
    /// <summary>Memory per rank, in bytes.</summary>
    public const int BytesPerRank = 4 * sizeof(long);

    /// <summary>
    /// Per rank, the number of normal pixels between it and the next lower rank, then of those that tie with it.
    /// </summary>
    private readonly long[] _normal = new long[2 * capacity];

    private readonly long[] _anomalous = new long[capacity];
    private readonly double[] _shares = new double[capacity];
    private int _first,
        _count;

    /// <summary>Clears all counters and starts a range of ranks at its lowest rank.</summary>
    public void Reset(int lowest, int length)
    {
        _first = lowest;
        _count = length;
        Array.Clear(_normal);
        Array.Clear(_anomalous);
        Array.Clear(_shares);
    }

    /// <summary>Counts normal pixels; may be called from several threads.</summary>
    public void AddNormal(ReadOnlySpan<float> scores)
    {
        // Neighbouring pixels often share a place, most of all where the map is 0: counting them here first saves
        // interlocked operations.
        var last = -1L;
        var run = 0L;
        foreach (var score in scores)
        {
            var place = ranks.FindPlace(score) - 2L * _first;
            if (place == last)
            {
                run++;
                continue;
            }
            Count(last, run);
            last = place;
            run = 1;
        }
        Count(last, run);

        void Count(long place, long pixels)
        {
            if (place >= 0 && place < 2L * _count)
                Interlocked.Add(ref _normal[place], pixels);
        }
    }

    /// <summary>
    /// Counts anomalous pixels. Call from one thread and always in the same order, since sums of shares are rounded.
    /// </summary>
    public void AddAnomalous(ReadOnlySpan<float> scores, double share)
    {
        foreach (var score in scores)
        {
            var rank = ranks.FindPlace(score) / 2 - _first;
            if (rank < 0 || rank >= _count)
                continue;
            _anomalous[rank]++;
            _shares[rank] += share;
        }
    }

    /// <summary>Adds the range to a curve, highest rank first, with the pixels of several tallies together.</summary>
    public static void AddToCurve(ProCurve curve, ReadOnlySpan<PixelTally> tallies)
    {
        for (var rank = tallies[0]._count - 1; rank >= 0; rank--)
        {
            var below = 0L;
            var tied = 0L;
            var anomalies = 0L;
            var share = 0.0;
            foreach (var tally in tallies)
            {
                below += tally._normal[2 * rank];
                tied += tally._normal[2 * rank + 1];
                anomalies += tally._anomalous[rank];
                share += tally._shares[rank];
            }
            curve.Add(tied, anomalies, share);
            curve.Add(below, 0, 0);
        }
    }
}
