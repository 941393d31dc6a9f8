namespace PaDiM.Core.Statistics.Simd;

/// <summary>
/// Sixteen float lanes, whatever width of vectors the processor has: one of 512 bits, two of 256 or four of 128. The
/// kernels over <see cref="TriangleBlocks"/> are written once against this, and compiled for each.
/// </summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
internal interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Number of lanes.</summary>
    const int Count = 16;

    /// <summary>Sixteen 16-bit integers as floats.</summary>
    static abstract TSelf Widen(ref readonly short source);

    /// <summary>As above; lanes of a mask of 0 become 0, and those of -1 are kept.</summary>
    static abstract TSelf Widen(ref readonly short source, ref readonly int mask);

    /// <summary>this * factor + sum.</summary>
    TSelf MultiplyAdd(float factor, TSelf sum);

    /// <summary>this * this + sum.</summary>
    TSelf SquareAdd(TSelf sum);

    /// <summary>this + other.</summary>
    TSelf Add(TSelf other);

    /// <summary>this times sixteen floats in bfloat16: the upper half of a float32.</summary>
    TSelf Scale(ref readonly ushort scale);

    /// <summary>Sum over the lanes.</summary>
    float Sum();
}
