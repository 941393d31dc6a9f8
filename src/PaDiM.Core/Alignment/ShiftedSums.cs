using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PaDiM.Core.Alignment;

/// <summary>
/// Dot products of a field with another one at eight shifts along x. Each value that is read from the first serves
/// eight products; one shift after the other would wait for memory.
/// </summary>
internal static class ShiftedSums
{
    /// <summary>Number of shifts.</summary>
    public const int Count = 8;

    /// <summary>Computes the sums over i of <c>field[i] * other[i + 2 k]</c> for k from 0 to 7.</summary>
    /// <param name="field">Two values per pixel.</param>
    /// <param name="other">At least 14 values longer than the field.</param>
    /// <param name="sums">Receives the sums.</param>
    public static void Compute(ReadOnlySpan<float> field, ReadOnlySpan<float> other, Span<float> sums)
    {
        if (other.Length < field.Length + 2 * (Count - 1))
            throw new ArgumentException("The other field is too short for the shifts.", nameof(other));
        ref var own = ref MemoryMarshal.GetReference(field);
        ref var shifted = ref MemoryMarshal.GetReference(other);
        Vector512<float> sum0 = default,
            sum1 = default,
            sum2 = default,
            sum3 = default,
            sum4 = default,
            sum5 = default,
            sum6 = default,
            sum7 = default;
        var i = 0;
        for (; i + Vector512<float>.Count <= field.Length; i += Vector512<float>.Count)
        {
            var values = Vector512.LoadUnsafe(ref own, (nuint)i);
            sum0 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i), sum0);
            sum1 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 2), sum1);
            sum2 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 4), sum2);
            sum3 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 6), sum3);
            sum4 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 8), sum4);
            sum5 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 10), sum5);
            sum6 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 12), sum6);
            sum7 = Vector512.MultiplyAddEstimate(values, Vector512.LoadUnsafe(ref shifted, (nuint)i + 14), sum7);
        }
        sums[0] = Vector512.Sum(sum0);
        sums[1] = Vector512.Sum(sum1);
        sums[2] = Vector512.Sum(sum2);
        sums[3] = Vector512.Sum(sum3);
        sums[4] = Vector512.Sum(sum4);
        sums[5] = Vector512.Sum(sum5);
        sums[6] = Vector512.Sum(sum6);
        sums[7] = Vector512.Sum(sum7);
        for (; i < field.Length; i++)
        for (var k = 0; k < Count; k++)
            sums[k] += field[i] * other[i + 2 * k];
    }
}
