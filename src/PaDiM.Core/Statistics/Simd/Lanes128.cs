using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>Sixteen lanes as four vectors of 128 bits.</summary>
internal readonly struct Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    : ILanes<Lanes128>
{
    private const nuint Quarter = 4,
        Half = 8;
    private readonly Vector128<float> _a = a,
        _b = b,
        _c = c,
        _d = d;

    public static Lanes128 Widen(ref readonly short source)
    {
        var (a, b) = Vector128.Widen(Vector128.LoadUnsafe(in source));
        var (c, d) = Vector128.Widen(Vector128.LoadUnsafe(in source, Half));
        return new Lanes128(
            Vector128.ConvertToSingle(a),
            Vector128.ConvertToSingle(b),
            Vector128.ConvertToSingle(c),
            Vector128.ConvertToSingle(d)
        );
    }

    public static Lanes128 Widen(ref readonly short source, ref readonly int mask)
    {
        var (a, b) = Vector128.Widen(Vector128.LoadUnsafe(in source));
        var (c, d) = Vector128.Widen(Vector128.LoadUnsafe(in source, Half));
        return new Lanes128(
            Vector128.ConvertToSingle(a & Vector128.LoadUnsafe(in mask)),
            Vector128.ConvertToSingle(b & Vector128.LoadUnsafe(in mask, Quarter)),
            Vector128.ConvertToSingle(c & Vector128.LoadUnsafe(in mask, Half)),
            Vector128.ConvertToSingle(d & Vector128.LoadUnsafe(in mask, Half + Quarter))
        );
    }

    public Lanes128 MultiplyAdd(float factor, Lanes128 sum)
    {
        var all = Vector128.Create(factor);
        return new Lanes128(
            Vector128.MultiplyAddEstimate(_a, all, sum._a),
            Vector128.MultiplyAddEstimate(_b, all, sum._b),
            Vector128.MultiplyAddEstimate(_c, all, sum._c),
            Vector128.MultiplyAddEstimate(_d, all, sum._d)
        );
    }

    public Lanes128 SquareAdd(Lanes128 sum) =>
        new(
            Vector128.MultiplyAddEstimate(_a, _a, sum._a),
            Vector128.MultiplyAddEstimate(_b, _b, sum._b),
            Vector128.MultiplyAddEstimate(_c, _c, sum._c),
            Vector128.MultiplyAddEstimate(_d, _d, sum._d)
        );

    public Lanes128 Add(Lanes128 other) => new(_a + other._a, _b + other._b, _c + other._c, _d + other._d);

    public Lanes128 Scale(ref readonly ushort scale)
    {
        var (p, q) = Vector128.Widen(Vector128.LoadUnsafe(in scale));
        var (r, s) = Vector128.Widen(Vector128.LoadUnsafe(in scale, Half));
        return new Lanes128(
            _a * (p << 16).AsSingle(),
            _b * (q << 16).AsSingle(),
            _c * (r << 16).AsSingle(),
            _d * (s << 16).AsSingle()
        );
    }

    public float Sum() => Vector128.Sum((_a + _b) + (_c + _d));
}
