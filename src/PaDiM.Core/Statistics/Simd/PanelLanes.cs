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
    static abstract TSelf Of(double value);

    /// <summary>left * right + sum, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf sum);

    /// <summary>left - right.</summary>
    static abstract TSelf Subtract(TSelf left, TSelf right);

    /// <summary>Writes the lanes.</summary>
    void Store(ref double to);
}

/// <summary>Eight lanes.</summary>
internal readonly struct WideLanes(Vector512<double> value) : IPanelLanes<WideLanes>
{
    private readonly Vector512<double> _value = value;

    public static int Count => Vector512<double>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideLanes Load(ref double from) => new(Vector512.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideLanes Of(double value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideLanes MultiplyAdd(WideLanes left, WideLanes right, WideLanes sum) =>
        new(Vector512.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideLanes Subtract(WideLanes left, WideLanes right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double to) => _value.StoreUnsafe(ref to);
}

/// <summary>As many lanes as the processor's usual vectors have, at most eight.</summary>
internal readonly struct UsualLanes(Vector<double> value) : IPanelLanes<UsualLanes>
{
    private readonly Vector<double> _value = value;

    public static int Count => Vector<double>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UsualLanes Load(ref double from) => new(Vector.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UsualLanes Of(double value) => new(new Vector<double>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UsualLanes MultiplyAdd(UsualLanes left, UsualLanes right, UsualLanes sum) =>
        new(Vector.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UsualLanes Subtract(UsualLanes left, UsualLanes right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double to) => _value.StoreUnsafe(ref to);
}
