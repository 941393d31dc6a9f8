using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>Sixteen lanes as two vectors of 256 bits.</summary>
internal readonly struct Lanes256(Vector256<float> low, Vector256<float> high) : ILanes<Lanes256>
{
    private const nuint Half = 8;

    // Lanes 0 to 7, and lanes 8 to 15.
    private readonly Vector256<float> _low = low,
        _high = high;

    public static Lanes256 Widen(ref readonly short source)
    {
        // Sixteen shorts in one load, sign-extended to two vectors of eight 32-bit integers.
        var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(in source));
        return new Lanes256(Vector256.ConvertToSingle(low), Vector256.ConvertToSingle(high));
    }

    public static Lanes256 Widen(ref readonly short source, ref readonly int mask)
    {
        var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(in source));
        // Masked as integers: an AND with -1 keeps a lane, an AND with 0 clears it.
        return new Lanes256(
            Vector256.ConvertToSingle(low & Vector256.LoadUnsafe(in mask)),
            Vector256.ConvertToSingle(high & Vector256.LoadUnsafe(in mask, Half))
        );
    }

    public Lanes256 MultiplyAdd(float factor, Lanes256 sum)
    {
        var all = Vector256.Create(factor);
        return new Lanes256(
            Vector256.MultiplyAddEstimate(_low, all, sum._low),
            Vector256.MultiplyAddEstimate(_high, all, sum._high)
        );
    }

    public Lanes256 SquareAdd(Lanes256 sum) =>
        new(
            Vector256.MultiplyAddEstimate(_low, _low, sum._low),
            Vector256.MultiplyAddEstimate(_high, _high, sum._high)
        );

    public Lanes256 Add(Lanes256 other) => new(_low + other._low, _high + other._high);

    public Lanes256 Scale(ref readonly ushort scale)
    {
        // A bfloat16 moves to the upper half of 32 bits, whose bits are then those of the float.
        var (lower, upper) = Vector256.Widen(Vector256.LoadUnsafe(in scale));
        return new Lanes256(_low * (lower << 16).AsSingle(), _high * (upper << 16).AsSingle());
    }

    public float Sum() => Vector256.Sum(_low + _high);
}
