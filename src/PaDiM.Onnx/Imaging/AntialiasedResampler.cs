using System.Numerics.Tensors;

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
    public static void Resize(RgbImage image, int width, int height, Span<float> result)
    {
        var (rows, columns) = (Weights(image.Height, height), Weights(image.Width, width));
        var source = new float[image.Width * 3];
        var sum = new float[image.Width * 3];
        for (var y = 0; y < height; y++)
        {
            Array.Clear(sum);
            for (var k = 0; k < rows[y].Share.Length; k++)
            {
                TensorPrimitives.ConvertTruncating<byte, float>(image.Pixels.AsSpan((rows[y].First + k) * source.Length, source.Length), source);
                TensorPrimitives.MultiplyAdd(source, rows[y].Share[k], sum, sum);
            }
            var target = result.Slice(y * width * 3, width * 3);
            for (var x = 0; x < width; x++)
            {
                var (first, share) = columns[x];
                var (r, g, b) = (0f, 0f, 0f);
                for (var k = 0; k < share.Length; k++)
                {
                    var at = 3 * (first + k);
                    r += share[k] * sum[at];
                    g += share[k] * sum[at + 1];
                    b += share[k] * sum[at + 2];
                }
                (target[3 * x], target[3 * x + 1], target[3 * x + 2]) = (r, g, b);
            }
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
