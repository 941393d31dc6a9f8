using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>Sixteen lanes as one vector of 512 bits.</summary>
internal readonly struct Lanes512(Vector512<float> all) : ILanes<Lanes512>
{
    private readonly Vector512<float> _all = all;

    public static Lanes512 Widen(ref readonly short source) => new(Vector512.ConvertToSingle(LoadWidened(in source)));

    public static Lanes512 Widen(ref readonly short source, ref readonly int mask) =>
        new(Vector512.ConvertToSingle(LoadWidened(in source) & Vector512.LoadUnsafe(in mask)));

    public Lanes512 MultiplyAdd(float factor, Lanes512 sum) =>
        new(Vector512.MultiplyAddEstimate(_all, Vector512.Create(factor), sum._all));

    public Lanes512 SquareAdd(Lanes512 sum) => new(Vector512.MultiplyAddEstimate(_all, _all, sum._all));

    public Lanes512 Add(Lanes512 other) => new(_all + other._all);

    public Lanes512 Scale(ref readonly ushort scale) =>
        new(_all * (Vector512.WidenLower(Vector256.LoadUnsafe(in scale).ToVector512Unsafe()) << 16).AsSingle());

    public float Sum() => Vector512.Sum(_all);

    private static Vector512<int> LoadWidened(ref readonly short source) =>
        Vector512.WidenLower(Vector256.LoadUnsafe(in source).ToVector512Unsafe());
}
