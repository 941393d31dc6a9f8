namespace PaDiM.Core.Embedding;

/// <summary>
/// Keeps chosen channels: x'[k] = x[Channels[k]] (the paper's random reduction; all channels for <c>none</c>).
/// </summary>
public sealed class ChannelSelection : ChannelReduction
{
    private readonly int[] _channels;
    private readonly Lazy<float[]> _weights;

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
                throw new ArgumentException(
                    $"Chosen channels must ascend within 0..{InputChannels - 1}.",
                    nameof(channels)
                );
        _channels = channels;
        _weights = new Lazy<float[]>(CreateUnitColumns);
    }

    /// <summary>Chosen indices into the concatenated channels, ascending.</summary>
    public ReadOnlySpan<int> Channels => _channels;

    /// <summary>The chosen channels of each tap, counted from its first.</summary>
    public IEnumerable<int[]> GroupByTap()
    {
        var first = 0;
        foreach (var count in TapChannels)
        {
            yield return
            [
                .. _channels
                    .Where(channel => channel >= first && channel < first + count)
                    .Select(channel => channel - first),
            ];
            first += count;
        }
    }

    /// <summary>Unit columns: a product with them is exact.</summary>
    public override ReadOnlyMemory<float> Weights => _weights.Value;

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

    private float[] CreateUnitColumns()
    {
        var columns = new float[InputChannels * Dimensions];
        for (var k = 0; k < _channels.Length; k++)
            columns[_channels[k] * Dimensions + k] = 1;
        return columns;
    }
}
