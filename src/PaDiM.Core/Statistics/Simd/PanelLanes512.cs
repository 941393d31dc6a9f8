using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PaDiM.Core.Statistics.Simd;

/// <summary>Eight lanes: one vector of 512 bits.</summary>
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
    public static PanelLanes512 Divide(PanelLanes512 left, PanelLanes512 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelLanes512 Max(PanelLanes512 left, PanelLanes512 right) =>
        new(Vector512.Max(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(PanelLanes512 value) => Vector512.Sum(value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double to) => _value.StoreUnsafe(ref to);
}
