using System.Numerics;
using System.Runtime.CompilerServices;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>As many lanes as <see cref="Vector{T}"/> has: two on ARM64, four with AVX2; at most eight.</summary>
internal readonly struct PanelLanesNative(Vector<double> value) : IPanelLanes<PanelLanesNative>
{
    private readonly Vector<double> _value = value;

    public static int Count => Vector<double>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanesNative Load(ref double from) => new(Vector.LoadUnsafe(ref from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanesNative Create(double value) => new(new Vector<double>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanesNative MultiplyAdd(PanelLanesNative left, PanelLanesNative right, PanelLanesNative sum) =>
        new(Vector.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanesNative Subtract(PanelLanesNative left, PanelLanesNative right) =>
        new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanesNative Divide(PanelLanesNative left, PanelLanesNative right) =>
        new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanesNative Max(PanelLanesNative left, PanelLanesNative right) =>
        new(Vector.Max(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(PanelLanesNative value) => Vector.Sum(value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double to) => _value.StoreUnsafe(ref to);
}
