namespace PaDiM.Core.Embedding;

/// <summary>
/// Keeps chosen channels: x'[k] = x[Channels[k]] (the paper's random reduction; all channels for <c>none</c>).
/// </summary>
public sealed class ChannelSelection : ChannelReduction
{
    private readonly int[] _channels;
    private readonly Lazy<float[]> _weights;

    /// <summary>Creates a selection of channels.</summary>
    /// <param name="method"><see cref="ReductionMethod.Random"/> or <see cref="ReductionMethod.None"/>.</param>
    /// <param name="tapChannels">Number of channels of each tap, in order.</param>
    /// <param name="channels">Indices into the concatenation, ascending, without repeats.</param>
    /// <param name="seed">The seed of the draw.</param>
    /// <exception cref="ArgumentException">Channels are out of range or not ascending.</exception>
    public ChannelSelection(ReductionMethod method, IReadOnlyList<int> tapChannels, int[] channels, int seed)
        : base(method, tapChannels, channels.Length, seed)
    {
        for (var k = 0; k < channels.Length; k++)
            if (channels[k] < 0 || channels[k] >= InputChannels || (k > 0 && channels[k] <= channels[k - 1]))
                throw new ArgumentException(
                    $"Chosen channels must be ascending and within 0 to {InputChannels - 1}.",
                    nameof(channels)
                );
        _channels = channels;
        _weights = new Lazy<float[]>(CreateUnitColumns);
    }

    /// <summary>Gets the chosen indices into the concatenated channels, ascending.</summary>
    public ReadOnlySpan<int> Channels => _channels;

    /// <summary>Gets the chosen channels of each tap, relative to the first channel of the tap.</summary>
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

    /// <summary>Gets W with unit vectors as columns; a product with them is exact.</summary>
    public override ReadOnlyMemory<float> Weights => _weights.Value;

    /// <summary>
    /// Chooses <paramref name="count"/> of <paramref name="total"/> channels without replacement, ascending.
    /// </summary>
    internal static int[] Choose(int total, int count, Random random)
    {
        // The first steps of a Fisher-Yates shuffle.
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
