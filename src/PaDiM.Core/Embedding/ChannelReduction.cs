namespace PaDiM.Core.Embedding;

/// <summary>
/// Turns the taps of a backbone into a <see cref="PatchEmbedding"/> of d dimensions. Coarser taps are replicated (nearest) onto the
/// finest grid and concatenated; the reduction is applied to each tap at its own resolution first, which gives the same numbers, since
/// a projection of a concatenation is a sum of projections. Fixed before fitting and stored with the model: never drawn again at load.
/// Immutable and thread-safe.
/// </summary>
public abstract class ChannelReduction
{
    private readonly int[] tapChannels;

    private protected ChannelReduction(ReductionMethod method, IEnumerable<int> tapChannels, int dimensions, int seed)
    {
        (Method, Dimensions, Seed, this.tapChannels) = (method, dimensions, seed, [.. tapChannels]);
        InputChannels = this.tapChannels.Sum();
    }

    /// <summary>The method that drew it.</summary>
    public ReductionMethod Method { get; }

    /// <summary>Channels of each tap, in order.</summary>
    public IReadOnlyList<int> TapChannels => tapChannels;

    /// <summary>Sum C of the taps' channels.</summary>
    public int InputChannels { get; }

    /// <summary>Dimensions d of the embedding.</summary>
    public int Dimensions { get; }

    /// <summary>The seed that it was drawn with; recorded, not used again.</summary>
    public int Seed { get; }

    /// <summary>Draws a reduction.</summary>
    /// <param name="method">How to reduce.</param>
    /// <param name="tapChannels">Channels of each tap, in order.</param>
    /// <param name="dimensions">d, 1 to the sum of channels; ignored by <see cref="ReductionMethod.None"/>.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <exception cref="ArgumentOutOfRangeException">More dimensions than channels, or fewer than one.</exception>
    public static ChannelReduction Draw(ReductionMethod method, IReadOnlyList<int> tapChannels, int dimensions, int seed)
    {
        var channels = tapChannels.Sum();
        if (method == ReductionMethod.None) return new ChannelSelection(method, tapChannels, [.. Enumerable.Range(0, channels)], seed);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions, channels);
        var random = new Random(seed);
        return method == ReductionMethod.Random
            ? new ChannelSelection(method, tapChannels, ChannelSelection.Choose(channels, dimensions, random), seed)
            : new ChannelProjection(tapChannels, ChannelProjection.OrthonormalColumns(channels, dimensions, random), dimensions, seed);
    }

    /// <summary>Embeds one image.</summary>
    /// <param name="taps">One map a tap, in the order of <see cref="TapChannels"/>.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <param name="reuse">An embedding that is not needed any more and is written over, if it has the right shape; null for a new one.</param>
    /// <returns>x_p on the finest tap's grid. Cost: <c>O(positions * d)</c> for a selection, times C_l for a projection.</returns>
    /// <exception cref="ArgumentException">The taps are not those the reduction was drawn for.</exception>
    public PatchEmbedding Embed(IReadOnlyList<FeatureMap> taps, ParallelOptions? parallel = null, PatchEmbedding? reuse = null)
    {
        if (taps.Count != tapChannels.Length || taps.Where((tap, i) => tap.Channels != tapChannels[i]).Any())
            throw new ArgumentException($"Taps of {string.Join('+', taps.Select(t => t.Channels))} channels do not fit a reduction of {string.Join('+', tapChannels)}.", nameof(taps));
        // The kernels below read without bounds checks.
        if (taps.Any(tap => tap.Values.Length != tap.Channels * tap.Grid.Positions))
            throw new ArgumentException("A tap does not hold as many values as its shape.", nameof(taps));
        var finest = taps.MaxBy(tap => tap.Grid.Positions).Grid;
        var embedding = reuse?.Grid == finest && reuse.Dimensions == Dimensions ? reuse : new PatchEmbedding(finest, Dimensions);
        if (embedding == reuse) Array.Clear(embedding.Values);
        for (int i = 0, firstChannel = 0; i < taps.Count; firstChannel += tapChannels[i++])
            Accumulate(taps[i], firstChannel, embedding, parallel ?? Partition.AllCores);
        return embedding;
    }

    /// <summary>Adds the reduced vectors of one tap, replicated onto the embedding's grid.</summary>
    private protected abstract void Accumulate(FeatureMap tap, int firstChannel, PatchEmbedding embedding, ParallelOptions parallel);

    /// <summary>For each row (or column) of the fine axis, the nearest one of the coarse axis.</summary>
    private protected static int[] Nearest(int coarse, int fine)
    {
        var index = new int[fine];
        for (var i = 0; i < fine; i++) index[i] = (int)((long)i * coarse / fine);
        return index;
    }
}
