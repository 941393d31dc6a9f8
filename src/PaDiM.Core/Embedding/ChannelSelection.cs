namespace PaDiM.Core.Embedding;

/// <summary>Keeps chosen channels: x'[k] = x[Channels[k]] (the paper's random reduction; all channels for <c>none</c>).</summary>
public sealed class ChannelSelection : ChannelReduction
{
    private readonly int[] channels;

    /// <summary>A selection of stated channels.</summary>
    /// <param name="method"><see cref="ReductionMethod.Random"/> or <see cref="ReductionMethod.None"/>.</param>
    /// <param name="tapChannels">Channels of each tap, in order.</param>
    /// <param name="channels">Indices into the concatenation, ascending, without repeats.</param>
    /// <param name="seed">The seed that chose them.</param>
    public ChannelSelection(ReductionMethod method, IReadOnlyList<int> tapChannels, int[] channels, int seed)
        : base(method, tapChannels, channels.Length, seed)
    {
        for (var k = 0; k < channels.Length; k++)
            if (channels[k] < 0 || channels[k] >= InputChannels || (k > 0 && channels[k] <= channels[k - 1]))
                throw new ArgumentException($"Chosen channels must ascend within 0..{InputChannels - 1}.", nameof(channels));
        this.channels = channels;
    }

    /// <summary>Chosen indices into the concatenated channels, ascending.</summary>
    public ReadOnlySpan<int> Channels => channels;

    /// <summary><paramref name="count"/> of <paramref name="total"/> channels without replacement, ascending.</summary>
    internal static int[] Choose(int total, int count, Random random)
    {
        var all = Enumerable.Range(0, total).ToArray();
        for (var i = 0; i < count; i++)
        {
            var j = random.Next(i, total);
            (all[i], all[j]) = (all[j], all[i]);
        }
        Array.Sort(all, 0, count);
        return all[..count];
    }

    private protected override void Accumulate(FeatureMap tap, int firstChannel, PatchEmbedding embedding, ParallelOptions parallel)
    {
        var (d, fine, coarse) = (Dimensions, embedding.Grid, tap.Grid);
        var (rows, columns) = (Nearest(coarse.Height, fine.Height), Nearest(coarse.Width, fine.Width));
        var first = Array.FindIndex(channels, c => c >= firstChannel);
        if (first < 0) return;
        Partition.Run(fine.Height, parallel, y =>
        {
            var plane = tap.Values.Span;
            for (var k = first; k < d && channels[k] < firstChannel + tap.Channels; k++)
            {
                var source = plane.Slice((channels[k] - firstChannel) * coarse.Positions + rows[y] * coarse.Width, coarse.Width);
                var target = embedding.Values.AsSpan(y * fine.Width * d);
                for (var x = 0; x < fine.Width; x++) target[x * d + k] = source[columns[x]];
            }
        });
    }
}
