using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PaDiM.Core.Embedding;

/// <summary>The product behind the projection: features lie channel-major, embeddings position-major.</summary>
internal static class MatrixKernel
{
    private const int Tile = 4;

    /// <summary>
    /// target[x, j] += sum over c of features[c * stride + x] * weights[c * d + j], for x in 0..width-1 and j in 0..d-1.
    /// Four positions by two vectors of dimensions stay in registers while c runs: each loaded weight serves four positions.
    /// </summary>
    public static void AddTransposedProduct(
        ReadOnlySpan<float> features, int stride, int width, ReadOnlySpan<float> weights, int channels, int d, Span<float> target)
    {
        var lanes = Vector<float>.Count;
        var x = 0;
        for (; x + Tile <= width; x += Tile)
        {
            var j = 0;
            for (; j + 2 * lanes <= d; j += 2 * lanes)
                TileOfFour(ref At(features, x), stride, ref At(weights, j), channels, d, ref At(target, x * d + j));
            if (j < d) Plain(features, stride, x, x + Tile, weights, channels, d, j, target);
        }
        Plain(features, stride, x, width, weights, channels, d, 0, target);
    }

    private static void TileOfFour(ref float feature, int stride, ref float weight, int channels, int d, ref float target)
    {
        var lanes = Vector<float>.Count;
        Vector<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, e0 = default, e1 = default;
        for (var c = 0; c < channels; c++)
        {
            var w0 = Vector.LoadUnsafe(ref weight);
            var w1 = Vector.LoadUnsafe(ref weight, (nuint)lanes);
            var f = new Vector<float>(feature);
            a0 = Vector.FusedMultiplyAdd(w0, f, a0);
            a1 = Vector.FusedMultiplyAdd(w1, f, a1);
            f = new Vector<float>(Unsafe.Add(ref feature, 1));
            b0 = Vector.FusedMultiplyAdd(w0, f, b0);
            b1 = Vector.FusedMultiplyAdd(w1, f, b1);
            f = new Vector<float>(Unsafe.Add(ref feature, 2));
            c0 = Vector.FusedMultiplyAdd(w0, f, c0);
            c1 = Vector.FusedMultiplyAdd(w1, f, c1);
            f = new Vector<float>(Unsafe.Add(ref feature, 3));
            e0 = Vector.FusedMultiplyAdd(w0, f, e0);
            e1 = Vector.FusedMultiplyAdd(w1, f, e1);
            feature = ref Unsafe.Add(ref feature, stride);
            weight = ref Unsafe.Add(ref weight, d);
        }
        Store(a0, a1, ref target);
        Store(b0, b1, ref Unsafe.Add(ref target, d));
        Store(c0, c1, ref Unsafe.Add(ref target, 2 * d));
        Store(e0, e1, ref Unsafe.Add(ref target, 3 * d));

        static void Store(Vector<float> low, Vector<float> high, ref float to)
        {
            (Vector.LoadUnsafe(ref to) + low).StoreUnsafe(ref to);
            var next = (nuint)Vector<float>.Count;
            (Vector.LoadUnsafe(ref to, next) + high).StoreUnsafe(ref to, next);
        }
    }

    /// <summary>The remainders: positions fromX..toX-1, dimensions fromJ..d-1, one weight row at a time.</summary>
    private static void Plain(ReadOnlySpan<float> features, int stride, int fromX, int toX, ReadOnlySpan<float> weights, int channels, int d, int fromJ, Span<float> target)
    {
        for (var x = fromX; x < toX; x++)
        {
            var sums = target.Slice(x * d + fromJ, d - fromJ);
            for (var c = 0; c < channels; c++)
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(weights.Slice(c * d + fromJ, sums.Length), features[c * stride + x], sums, sums);
        }
    }

    private static ref float At(ReadOnlySpan<float> span, int index) => ref Unsafe.Add(ref MemoryMarshal.GetReference(span), index);
}
