namespace PaDiM.Core.Statistics.Simd;

/// <summary>
/// Sixteen float lanes, for any width of vectors that the processor has: one of 512 bits, two of 256 or four of 128.
/// The kernels over <see cref="TriangleBlocks"/> are written once against this interface and compiled for each width.
/// </summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
internal interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Number of lanes.</summary>
    const int Count = 16;

    /// <summary>Loads sixteen 16-bit integers as floats. Exact: a float holds integers up to 2^24.</summary>
    static abstract TSelf Widen(ref readonly short source);

    /// <summary>
    /// Loads sixteen 16-bit integers as floats; lanes whose mask is -1 (all bits set) are kept, and those whose mask is
    /// 0 become 0.
    /// </summary>
    static abstract TSelf Widen(ref readonly short source, ref readonly int mask);

    /// <summary>Computes this * factor + sum; fused where the processor can.</summary>
    TSelf MultiplyAdd(float factor, TSelf sum);

    /// <summary>Computes this * this + sum; fused where the processor can.</summary>
    TSelf SquareAdd(TSelf sum);

    /// <summary>Computes this + other.</summary>
    TSelf Add(TSelf other);

    /// <summary>Multiplies by sixteen bfloat16 values; a bfloat16 is the upper half of a float32.</summary>
    TSelf Scale(ref readonly ushort scale);

    /// <summary>Computes the sum of the lanes.</summary>
    float Sum();
}
