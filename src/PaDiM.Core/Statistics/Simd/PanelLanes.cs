using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>
/// A vector register of doubles. Each lane is an entry of the result for itself, summed by fused multiply-adds in one
/// order, so that its width does not change a bit of what is computed.
/// </summary>
/// <typeparam name="TSelf">The register.</typeparam>
internal interface IPanelLanes<TSelf>
    where TSelf : struct, IPanelLanes<TSelf>
{
    /// <summary>Doubles in it.</summary>
    static abstract int Count { get; }

    /// <summary>Reads as many doubles as there are lanes.</summary>
    static abstract TSelf Load(ref double from);

    /// <summary>One value in every lane.</summary>
    static abstract TSelf Create(double value);

    /// <summary>left * right + sum, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf sum);

    /// <summary>left - right.</summary>
    static abstract TSelf Subtract(TSelf left, TSelf right);

    /// <summary>Writes the lanes.</summary>
    void Store(ref double to);
}

/// <summary>Eight lanes.</summary>
internal readonly struct PanelLanes512(Vector512<double> value) : IPanelLanes<PanelLanes512>
{
    private readonly Vector512<double> _value = value;

    public static int Count => Vector512<double>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes512 Load(ref double from) => new(Vector512.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes512 Create(double value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes512 MultiplyAdd(PanelLanes512 left, PanelLanes512 right, PanelLanes512 sum) =>
        new(Vector512.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes512 Subtract(PanelLanes512 left, PanelLanes512 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double to) => _value.StoreUnsafe(ref to);
}

/// <summary>As many lanes as the processor's usual vectors have, at most eight.</summary>
internal readonly struct PanelLanes256(Vector<double> value) : IPanelLanes<PanelLanes256>
{
    private readonly Vector<double> _value = value;

    public static int Count => Vector<double>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes256 Load(ref double from) => new(Vector.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes256 Create(double value) => new(new Vector<double>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes256 MultiplyAdd(PanelLanes256 left, PanelLanes256 right, PanelLanes256 sum) =>
        new(Vector.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes256 Subtract(PanelLanes256 left, PanelLanes256 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double to) => _value.StoreUnsafe(ref to);
}
