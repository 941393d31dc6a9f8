using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>Sixteen lanes as four vectors of 128 bits.</summary>
internal readonly struct Lanes128(
    Vector128<float> lanes0,
    Vector128<float> lanes4,
    Vector128<float> lanes8,
    Vector128<float> lanes12
) : ILanes<Lanes128>
{
    private const nuint Quarter = 4,
        Half = 8;

    // The number is the first of the four lanes.
    private readonly Vector128<float> _lanes0 = lanes0,
        _lanes4 = lanes4,
        _lanes8 = lanes8,
        _lanes12 = lanes12;

    public static Lanes128 Widen(ref readonly short source)
    {
        // Eight shorts per load, sign-extended to two vectors of four 32-bit integers.
        var (int0, int4) = Vector128.Widen(Vector128.LoadUnsafe(in source));
        var (int8, int12) = Vector128.Widen(Vector128.LoadUnsafe(in source, Half));
        return new Lanes128(
            Vector128.ConvertToSingle(int0),
            Vector128.ConvertToSingle(int4),
            Vector128.ConvertToSingle(int8),
            Vector128.ConvertToSingle(int12)
        );
    }

    public static Lanes128 Widen(ref readonly short source, ref readonly int mask)
    {
        var (int0, int4) = Vector128.Widen(Vector128.LoadUnsafe(in source));
        var (int8, int12) = Vector128.Widen(Vector128.LoadUnsafe(in source, Half));
        // Masked as integers: an AND with -1 keeps a lane, an AND with 0 clears it.
        return new Lanes128(
            Vector128.ConvertToSingle(int0 & Vector128.LoadUnsafe(in mask)),
            Vector128.ConvertToSingle(int4 & Vector128.LoadUnsafe(in mask, Quarter)),
            Vector128.ConvertToSingle(int8 & Vector128.LoadUnsafe(in mask, Half)),
            Vector128.ConvertToSingle(int12 & Vector128.LoadUnsafe(in mask, Half + Quarter))
        );
    }

    public Lanes128 MultiplyAdd(float factor, Lanes128 sum)
    {
        var all = Vector128.Create(factor);
        return new Lanes128(
            Vector128.MultiplyAddEstimate(_lanes0, all, sum._lanes0),
            Vector128.MultiplyAddEstimate(_lanes4, all, sum._lanes4),
            Vector128.MultiplyAddEstimate(_lanes8, all, sum._lanes8),
            Vector128.MultiplyAddEstimate(_lanes12, all, sum._lanes12)
        );
    }

    public Lanes128 SquareAdd(Lanes128 sum) =>
        new(
            Vector128.MultiplyAddEstimate(_lanes0, _lanes0, sum._lanes0),
            Vector128.MultiplyAddEstimate(_lanes4, _lanes4, sum._lanes4),
            Vector128.MultiplyAddEstimate(_lanes8, _lanes8, sum._lanes8),
            Vector128.MultiplyAddEstimate(_lanes12, _lanes12, sum._lanes12)
        );

    public Lanes128 Add(Lanes128 other) =>
        new(_lanes0 + other._lanes0, _lanes4 + other._lanes4, _lanes8 + other._lanes8, _lanes12 + other._lanes12);

    public Lanes128 Scale(ref readonly ushort scale)
    {
        // A bfloat16 moves to the upper half of 32 bits, whose bits are then those of the float.
        var (scale0, scale4) = Vector128.Widen(Vector128.LoadUnsafe(in scale));
        var (scale8, scale12) = Vector128.Widen(Vector128.LoadUnsafe(in scale, Half));
        return new Lanes128(
            _lanes0 * (scale0 << 16).AsSingle(),
            _lanes4 * (scale4 << 16).AsSingle(),
            _lanes8 * (scale8 << 16).AsSingle(),
            _lanes12 * (scale12 << 16).AsSingle()
        );
    }

    public float Sum() => Vector128.Sum((_lanes0 + _lanes4) + (_lanes8 + _lanes12));
}
