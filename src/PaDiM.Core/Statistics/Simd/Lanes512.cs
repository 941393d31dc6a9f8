using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>Sixteen lanes as one vector of 512 bits.</summary>
internal readonly struct Lanes512(Vector512<float> all) : ILanes<Lanes512>
{
    private readonly Vector512<float> _all = all;

    public static Lanes512 Widen(ref readonly short source) => new(Vector512.ConvertToSingle(LoadWidened(in source)));

    // Masked as integers: an AND with -1 keeps a lane, an AND with 0 clears it.
    public static Lanes512 Widen(ref readonly short source, ref readonly int mask) =>
        new(Vector512.ConvertToSingle(LoadWidened(in source) & Vector512.LoadUnsafe(in mask)));

    public Lanes512 MultiplyAdd(float factor, Lanes512 sum) =>
        new(Vector512.MultiplyAddEstimate(_all, Vector512.Create(factor), sum._all));

    public Lanes512 SquareAdd(Lanes512 sum) => new(Vector512.MultiplyAddEstimate(_all, _all, sum._all));

    public Lanes512 Add(Lanes512 other) => new(_all + other._all);

    // A bfloat16 moves to the upper half of 32 bits, whose bits are then those of the float.
    public Lanes512 Scale(ref readonly ushort scale) =>
        new(_all * (Vector512.WidenLower(Vector256.LoadUnsafe(in scale).ToVector512Unsafe()) << 16).AsSingle());

    public float Sum() => Vector512.Sum(_all);

    // Sixteen shorts are 256 bits: the upper half of the 512 bits is undefined, and WidenLower does not read it.
    private static Vector512<int> LoadWidened(ref readonly short source) =>
        Vector512.WidenLower(Vector256.LoadUnsafe(in source).ToVector512Unsafe());
}
