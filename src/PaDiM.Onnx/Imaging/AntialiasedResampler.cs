using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PaDiM.Onnx.Imaging;

/// <summary>
/// Bilinear resampling with the filter widened to the scale when shrinking (Pillow's and torchvision's <c>antialias=True</c>), in float:
/// vertical first, so that the long sums run over whole rows.
/// </summary>
internal static class AntialiasedResampler
{
    /// <summary>Resamples an image.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="width">Pixels across afterwards.</param>
    /// <param name="height">Pixels down afterwards.</param>
    /// <param name="result">Takes the pixels, in [0, 255], shape <c>(height, width, 3)</c>.</param>
    /// <param name="threads">Bands of rows that are made at a time.</param>
    public static void Resize(RgbImage image, int width, int height, float[] result, int threads = 1)
    {
        var (rows, columns) = (Weights(image.Height, height), Weights(image.Width, width));
        if (threads == 1) Band(0);
        else Parallel.For(0, threads, new ParallelOptions { TaskScheduler = null }, Band);

        void Band(int band)
        {
            var length = image.Width * 3;
            // A pixel is read as four floats: one more lies behind the last.
            var sum = ArrayPool<float>.Shared.Rent(length + 1);
            sum[length] = 0;
            for (var y = band * height / threads; y < (band + 1) * height / threads; y++)
            {
                SumRows(image.Pixels, rows[y].First, rows[y].Share, sum.AsSpan(0, length));
                SumColumns(sum, columns, result.AsSpan(y * width * 3, width * 3));
            }
            ArrayPool<float>.Shared.Return(sum);
        }
    }

    /// <summary>sum[i] = sum over k of share[k] * pixels[first + k, i]: sums stay in registers while the rows go by.</summary>
    private static void SumRows(byte[] pixels, int first, float[] share, Span<float> sum)
    {
        ref var source = ref pixels[first * sum.Length];
        ref var target = ref MemoryMarshal.GetReference(sum);
        var (i, step) = (0, 4 * Vector<float>.Count);
        for (; i + step <= sum.Length; i += step)
        {
            Vector<float> a = default, b = default, c = default, d = default;
            for (var k = 0; k < share.Length; k++)
            {
                Vector.Widen(Vector.LoadUnsafe(ref source, (nuint)(k * sum.Length + i)), out var low, out var high);
                Vector.Widen(low, out var p, out var q);
                Vector.Widen(high, out var r, out var s);
                var weight = new Vector<float>(share[k]);
                a = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(p.As<uint, int>()), weight, a);
                b = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(q.As<uint, int>()), weight, b);
                c = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(r.As<uint, int>()), weight, c);
                d = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(s.As<uint, int>()), weight, d);
            }
            a.StoreUnsafe(ref target, (nuint)i);
            b.StoreUnsafe(ref target, (nuint)(i + Vector<float>.Count));
            c.StoreUnsafe(ref target, (nuint)(i + 2 * Vector<float>.Count));
            d.StoreUnsafe(ref target, (nuint)(i + 3 * Vector<float>.Count));
        }
        for (; i < sum.Length; i++)
        {
            var value = 0f;
            for (var k = 0; k < share.Length; k++) value += share[k] * Unsafe.Add(ref source, k * sum.Length + i);
            sum[i] = value;
        }
    }

    /// <summary>The three channels of a pixel are lanes; the fourth is the next pixel's, and is overwritten by it.</summary>
    private static void SumColumns(float[] sum, (int First, float[] Share)[] columns, Span<float> target)
    {
        ref var source = ref MemoryMarshal.GetArrayDataReference(sum);
        ref var result = ref MemoryMarshal.GetReference(target);
        for (var x = 0; x < columns.Length; x++)
        {
            var (first, share) = columns[x];
            var pixel = Vector128<float>.Zero;
            for (var k = 0; k < share.Length; k++)
                pixel = Vector128.MultiplyAddEstimate(Vector128.LoadUnsafe(ref source, (nuint)(3 * (first + k))), Vector128.Create(share[k]), pixel);
            if (x < columns.Length - 1) pixel.StoreUnsafe(ref result, (nuint)(3 * x));
            else
                for (var channel = 0; channel < 3; channel++) Unsafe.Add(ref result, 3 * x + channel) = pixel[channel];
        }
    }

    /// <summary>For each output pixel the first input pixel and the shares of it and its followers; shares sum to 1.</summary>
    internal static (int First, float[] Share)[] Weights(int from, int to)
    {
        var scale = (double)from / to;
        var support = Math.Max(scale, 1);
        var weights = new (int, float[])[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var last = Math.Min(from, (int)(centre + support + 0.5));
            var shares = new double[last - first];
            for (var k = 0; k < shares.Length; k++) shares[k] = Math.Max(0, 1 - Math.Abs((first + k - centre + 0.5) / support));
            var total = shares.Sum();
            weights[i] = (first, Array.ConvertAll(shares, share => (float)(share / total)));
        }
        return weights;
    }
}
