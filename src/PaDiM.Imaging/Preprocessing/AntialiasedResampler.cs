using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Geometry;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Bilinear resampling with the filter widened to the scale when shrinking (Pillow's and torchvision's
/// <c>antialias=True</c>), in float: vertical first, so that the long sums run over whole rows. A row at a time, for
/// one thread.
/// </summary>
internal sealed class AntialiasedResampler : IDisposable
{
    private readonly RgbImage _image;
    private readonly Axis _rows,
        _columns;
    private readonly float[] _sum;

    /// <summary>Made ready for an image, all of which is resized.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="width">Pixels across afterwards.</param>
    /// <param name="height">Pixels down afterwards.</param>
    private AntialiasedResampler(RgbImage image, int width, int height)
        : this(image, new Axis(image.Height, height), new Axis(image.Width, width)) { }

    /// <summary>Made ready for the part of an image that a frame shows, which becomes the frame's target.</summary>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    public AntialiasedResampler(RgbImage image, ImageFrame frame)
        : this(
            image,
            CreateAxis(image.Height, frame.Original.Height, frame.Rows),
            CreateAxis(image.Width, frame.Original.Width, frame.Columns)
        ) { }

    private AntialiasedResampler(RgbImage image, Axis rows, Axis columns)
    {
        _image = image;
        _rows = rows;
        _columns = columns;
        // A pixel is read as four floats: one more lies behind the last.
        _sum = ArrayPool<float>.Shared.Rent(image.Width * 3 + 1);
        _sum[image.Width * 3] = 0;
    }

    /// <summary>Resamples an image.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="width">Pixels across afterwards.</param>
    /// <param name="height">Pixels down afterwards.</param>
    /// <param name="result">Takes the pixels, in [0, 255], shape <c>(height, width, 3)</c>.</param>
    public static void Resize(RgbImage image, int width, int height, Span<float> result)
    {
        using var resampler = new AntialiasedResampler(image, width, height);
        for (var y = 0; y < height; y++)
            resampler.Row(y, result.Slice(y * width * 3, width * 3));
    }

    /// <summary>One row.</summary>
    /// <param name="y">Which.</param>
    /// <param name="target">Takes its pixels, in [0, 255], shape <c>(width, 3)</c>.</param>
    public void Row(int y, Span<float> target)
    {
        SumRows(_image.Pixels, _rows.First[y], _rows.SharesOf(y), _sum.AsSpan(0, _image.Width * 3));
        SumColumns(target);
    }

    public void Dispose() => ArrayPool<float>.Shared.Return(_sum);

    private static Axis CreateAxis(int length, int original, FrameAxis axis) =>
        new(length, axis.TargetLength, axis.SourceStart * length / original, axis.SourceLength * length / original);

    /// <summary>
    /// sum[i] = sum over k of share[k] * pixels[first + k, i]: sums stay in registers while the rows go by.
    /// </summary>
    private static void SumRows(byte[] pixels, int first, ReadOnlySpan<float> share, Span<float> sum)
    {
        ref var source = ref pixels[first * sum.Length];
        ref var target = ref MemoryMarshal.GetReference(sum);
        var i = 0;
        var step = 4 * Vector<float>.Count;
        for (; i + step <= sum.Length; i += step)
        {
            // Each of the four sums holds as many neighbouring channel values as a vector has lanes; sum0 is the first.
            // A lane sums the same column of all rows.
            Vector<float> sum0 = default,
                sum1 = default,
                sum2 = default,
                sum3 = default;
            for (var k = 0; k < share.Length; k++)
            {
                // One vector of bytes widens to two of 16 bits and then to four of 32 bits.
                Vector.Widen(Vector.LoadUnsafe(ref source, (nuint)(k * sum.Length + i)), out var low, out var high);
                Vector.Widen(low, out var values0, out var values1);
                Vector.Widen(high, out var values2, out var values3);
                var weight = new Vector<float>(share[k]);
                // Converted as signed integers, which is exact below 256 and which every processor has an instruction
                // for.
                sum0 = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(values0.As<uint, int>()), weight, sum0);
                sum1 = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(values1.As<uint, int>()), weight, sum1);
                sum2 = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(values2.As<uint, int>()), weight, sum2);
                sum3 = Vector.MultiplyAddEstimate(Vector.ConvertToSingle(values3.As<uint, int>()), weight, sum3);
            }
            sum0.StoreUnsafe(ref target, (nuint)i);
            sum1.StoreUnsafe(ref target, (nuint)(i + Vector<float>.Count));
            sum2.StoreUnsafe(ref target, (nuint)(i + 2 * Vector<float>.Count));
            sum3.StoreUnsafe(ref target, (nuint)(i + 3 * Vector<float>.Count));
        }
        // The rest of the row, fewer values than a vector of bytes has.
        for (; i < sum.Length; i++)
        {
            var value = 0f;
            for (var k = 0; k < share.Length; k++)
                value += share[k] * Unsafe.Add(ref source, k * sum.Length + i);
            sum[i] = value;
        }
    }

    /// <summary>
    /// The three channels of a pixel are lanes; the fourth is the next pixel's, and is overwritten by it.
    /// </summary>
    private void SumColumns(Span<float> target)
    {
        ref var source = ref MemoryMarshal.GetArrayDataReference(_sum);
        ref var share = ref MemoryMarshal.GetReference(_columns.SharesOf(0));
        ref var result = ref MemoryMarshal.GetReference(target);
        var first = _columns.First;
        var taps = _columns.Taps;
        for (var x = 0; x < first.Length; x++)
        {
            // A load takes the three channels of a pixel and one value more: the next pixel's, or for the last pixel of
            // the row the spare float after it. Lane 3 is meaningless, but finite, and never mixes with the others.
            ref var input = ref Unsafe.Add(ref source, 3 * first[x]);
            var pixel = Vector128<float>.Zero;
            for (var k = 0; k < taps; k++)
                pixel = Vector128.MultiplyAddEstimate(
                    Vector128.LoadUnsafe(ref input, (nuint)(3 * k)),
                    Vector128.Create(Unsafe.Add(ref share, k)),
                    pixel
                );
            share = ref Unsafe.Add(ref share, taps);
            // A store of four lanes would write past the last pixel of the target.
            if (x < first.Length - 1)
                pixel.StoreUnsafe(ref result, (nuint)(3 * x));
            else
                for (var channel = 0; channel < 3; channel++)
                    Unsafe.Add(ref result, 3 * x + channel) = pixel[channel];
        }
    }

    /// <summary>
    /// What goes into each pixel of an axis: its first input pixel, and the shares of it and its followers, which sum
    /// to 1. As many of each, some of them 0: a loop whose length changes is mispredicted.
    /// </summary>
    internal sealed class Axis
    {
        private readonly float[] _shares;

        /// <summary>Shares of an axis.</summary>
        /// <param name="from">Input pixels.</param>
        /// <param name="to">Output pixels.</param>
        public Axis(int from, int to)
            : this(from, to, 0, from) { }

        /// <summary>
        /// Shares of a part of an axis, as of Pillow's <c>box</c>: pixels next to the part count as those within.
        /// </summary>
        /// <param name="from">Input pixels.</param>
        /// <param name="to">Output pixels.</param>
        /// <param name="start">Where the part begins, in input pixels.</param>
        /// <param name="length">Its length, in input pixels.</param>
        public Axis(int from, int to, double start, double length)
        {
            var scale = length / to;
            var support = Math.Max(scale, 1);
            Taps = Math.Min(from, (int)Math.Ceiling(2 * support));
            First = new int[to];
            _shares = new float[to * Taps];
            for (var i = 0; i < to; i++)
            {
                var centre = start + (i + 0.5) * scale;
                var first = Math.Clamp((int)(centre - support + 0.5), 0, from - Taps);
                var total = 0.0;
                First[i] = first;
                for (var k = 0; k < Taps; k++)
                    total += Share(first + k, centre);
                for (var k = 0; k < Taps; k++)
                    _shares[i * Taps + k] = (float)(Share(first + k, centre) / total);
            }

            double Share(int pixel, double centre) => Math.Max(0, 1 - Math.Abs((pixel - centre + 0.5) / support));
        }

        /// <summary>Input pixels that go into one.</summary>
        public int Taps { get; }

        /// <summary>The first input pixel of each output pixel.</summary>
        public int[] First { get; }

        /// <summary>The shares of an output pixel.</summary>
        public ReadOnlySpan<float> SharesOf(int output) => _shares.AsSpan(output * Taps, Taps);
    }
}
