using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// Averages each vector of a reduced tap with its neighbours, at the tap's own resolution, by the filter [1 4 1] x
/// [1 4 1] / 36; beyond the edges the outermost vectors repeat. PatchCore calls it local neighbourhood aggregation. It
/// is linear and the same for all channels, so it may come before or after the reduction.
/// </summary>
public static class LocalAverage
{
    /// <summary>The weight of a vector in each direction; that of either neighbour is 1.</summary>
    public const int Centre = 4;

    /// <summary>The sum of the weights in each direction.</summary>
    public const int Sum = Centre + 2;

    /// <summary>
    /// Filters a map in place. Reads and writes each row once while it is in the cache, and the additions are the same
    /// for every width of vector, so all machines get the same bits.
    /// </summary>
    /// <param name="values">Shape <c>(grid.Height, grid.Width, d)</c>, row-major, for any d.</param>
    /// <param name="grid">Rows and columns.</param>
    public static void Apply(Span<float> values, Grid grid)
    {
        var length = values.Length / grid.Height;
        var d = length / grid.Width;
        var scratch = ArrayPool<float>.Shared.Rent(2 * length);
        var above = scratch.AsSpan(0, length);
        var column = scratch.AsSpan(length, length);
        values[..length].CopyTo(above);
        for (var y = 0; y < grid.Height; y++)
        {
            var row = values.Slice(y * length, length);
            var below = y + 1 < grid.Height ? values.Slice((y + 1) * length, length) : row;
            Blend(above, row, below, column, 1, Centre);
            row.CopyTo(above);
            // The neighbours of a value in the next column are d values away: whole rows are added, except at the ends.
            const float Side = 1f / (Sum * Sum),
                Middle = (float)Centre / (Sum * Sum);
            var second = column[Math.Min(d, length - d)..];
            Blend(column[..d], column[..d], second[..d], row[..d], Side, Middle);
            if (grid.Width == 1)
                continue;
            var inner = length - 2 * d;
            Blend(column[..inner], second[..inner], column[(2 * d)..], row.Slice(d, inner), Side, Middle);
            Blend(column.Slice(inner, d), column[^d..], column[^d..], row[^d..], Side, Middle);
        }
        ArrayPool<float>.Shared.Return(scratch);
    }

    /// <summary>Computes target = side (before + after) + centre middle.</summary>
    private static void Blend(
        ReadOnlySpan<float> before,
        ReadOnlySpan<float> middle,
        ReadOnlySpan<float> after,
        Span<float> target,
        float side,
        float centre
    )
    {
        var count = target.Length - target.Length % Vector<float>.Count;
        var a = MemoryMarshal.Cast<float, Vector<float>>(before[..count]);
        var b = MemoryMarshal.Cast<float, Vector<float>>(middle[..count]);
        var c = MemoryMarshal.Cast<float, Vector<float>>(after[..count]);
        var t = MemoryMarshal.Cast<float, Vector<float>>(target[..count]);
        for (var i = 0; i < t.Length; i++)
            t[i] = side * (a[i] + c[i]) + centre * b[i];
        for (var i = count; i < target.Length; i++)
            target[i] = side * (before[i] + after[i]) + centre * middle[i];
    }
}
