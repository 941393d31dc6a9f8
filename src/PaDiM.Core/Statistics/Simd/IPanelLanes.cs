namespace PaDiM.Core.Statistics.Simd;

/// <summary>
/// A vector register of doubles. Each lane is an entry of the result, summed by fused multiply-adds in one order, so
/// the width of the register does not change a bit of the result, except for that of <see cref="Sum"/>.
/// </summary>
/// <typeparam name="TSelf">The register.</typeparam>
internal interface IPanelLanes<TSelf>
    where TSelf : struct, IPanelLanes<TSelf>
{
    /// <summary>Gets the number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>Loads one double per lane.</summary>
    static abstract TSelf Load(ref double from);

    /// <summary>Creates a register with one value in every lane.</summary>
    static abstract TSelf Create(double value);

    /// <summary>Computes left * right + sum, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf sum);

    /// <summary>Computes left - right.</summary>
    static abstract TSelf Subtract(TSelf left, TSelf right);

    /// <summary>Computes left / right.</summary>
    static abstract TSelf Divide(TSelf left, TSelf right);

    /// <summary>Gets the larger of each pair.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>Computes the sum of all lanes, whose order depends on the width.</summary>
    static abstract double Sum(TSelf value);

    /// <summary>Stores one double per lane.</summary>
    void Store(ref double to);
}
