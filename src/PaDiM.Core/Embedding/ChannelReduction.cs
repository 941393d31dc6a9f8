namespace PaDiM.Core.Embedding;

/// <summary>
/// Reduces the C channels of a backbone's taps to the d dimensions of a <see cref="PatchEmbedding"/>. Coarser taps are
/// replicated (nearest) onto the finest grid and concatenated. The reduction is applied to each tap at its own
/// resolution first, which gives the same numbers, since a projection of a concatenation is a sum of projections. It is
/// fixed before fitting and stored with the model, and never drawn again on load. Immutable and thread-safe.
/// </summary>
public abstract class ChannelReduction
{
    private readonly int[] _tapChannels;

    private protected ChannelReduction(ReductionMethod method, IEnumerable<int> tapChannels, int dimensions, int seed)
    {
        Method = method;
        Dimensions = dimensions;
        Seed = seed;
        _tapChannels = [.. tapChannels];
        InputChannels = _tapChannels.Sum();
    }

    /// <summary>Gets the method that drew the reduction.</summary>
    public ReductionMethod Method { get; }

    /// <summary>Gets the number of channels of each tap, in order.</summary>
    public IReadOnlyList<int> TapChannels => _tapChannels;

    /// <summary>Gets the number of channels C of all taps.</summary>
    public int InputChannels { get; }

    /// <summary>Gets the number of dimensions d of the embedding.</summary>
    public int Dimensions { get; }

    /// <summary>Gets the seed of the draw, for the record; it is not used again.</summary>
    public int Seed { get; }

    /// <summary>Draws a reduction.</summary>
    /// <param name="method">How channels are reduced.</param>
    /// <param name="tapChannels">Number of channels of each tap, in order.</param>
    /// <param name="dimensions">Number of dimensions d, 1 to C; ignored by <see cref="ReductionMethod.None"/>.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <exception cref="ArgumentOutOfRangeException">Dimensions are out of range.</exception>
    public static ChannelReduction Draw(
        ReductionMethod method,
        IReadOnlyList<int> tapChannels,
        int dimensions,
        int seed
    )
    {
        var channels = tapChannels.Sum();
        if (method == ReductionMethod.None)
            return new ChannelSelection(method, tapChannels, [.. Enumerable.Range(0, channels)], seed);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions, channels);
        var random = new Random(seed);
        return method == ReductionMethod.Random
            ? new ChannelSelection(method, tapChannels, ChannelSelection.Choose(channels, dimensions, random), seed)
            : new ChannelProjection(
                tapChannels,
                ChannelProjection.CreateOrthonormalColumns(channels, dimensions, random),
                dimensions,
                seed
            );
    }

    /// <summary>Gets the matrix W of the reduction x' = x W, shape <c>(C, d)</c>, row-major.</summary>
    public abstract ReadOnlyMemory<float> Weights { get; }

    /// <summary>
    /// Gets the rows of <see cref="Weights"/> for one tap's channels, shape <c>(C_l, d)</c>: a tap is reduced before it
    /// is replicated.
    /// </summary>
    /// <param name="tap">Index of the tap.</param>
    public ReadOnlyMemory<float> GetTapWeights(int tap) =>
        Weights.Slice(_tapChannels.Take(tap).Sum() * Dimensions, _tapChannels[tap] * Dimensions);

    /// <summary>Returns whether another reduction gives the same embeddings for the same taps.</summary>
    public bool IsSameAs(ChannelReduction other) =>
        ReferenceEquals(this, other)
        || (
            _tapChannels.AsSpan().SequenceEqual(other._tapChannels)
            && Dimensions == other.Dimensions
            && Weights.Span.SequenceEqual(other.Weights.Span)
        );
}
