using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// An image as the paper's non-aligned protocol shows it (Defard et al., their Rd-MVTec AD): resized to 256 x 256,
/// turned about its middle by a random angle in [-10, 10] degrees with black around it, and cropped at random to 224 x
/// 224. Seed and name decide both draws, the same on every machine. Immutable, thread-safe.
/// </summary>
public sealed class NonAlignedView
{
    /// <summary>Side of the view, in pixels.</summary>
    public const int Size = 224;

    private const int ResizedSize = 256;
    private const double MaxDegrees = 10,
        Middle = (ResizedSize - 1) / 2.0;

    private readonly double _cosine,
        _sine;

    /// <summary>Draws the view of an image.</summary>
    /// <param name="seed">The repetition.</param>
    /// <param name="name">The image, by a name that is the same on every machine.</param>
    public NonAlignedView(int seed, string name)
    {
        var drawn = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}|{name}")));
        Degrees = MaxDegrees * (2 * (BinaryPrimitives.ReadUInt32LittleEndian(drawn) / (double)uint.MaxValue) - 1);
        Left = (int)(BinaryPrimitives.ReadUInt32LittleEndian(drawn.AsSpan(4)) % (ResizedSize - Size + 1));
        Top = (int)(BinaryPrimitives.ReadUInt32LittleEndian(drawn.AsSpan(8)) % (ResizedSize - Size + 1));
        _cosine = Rounded(Math.Cos(double.DegreesToRadians(Degrees)));
        _sine = Rounded(Math.Sin(double.DegreesToRadians(Degrees)));
    }

    /// <summary>The angle, anticlockwise.</summary>
    public double Degrees { get; }

    /// <summary>Columns of the turned image left of the crop.</summary>
    public int Left { get; }

    /// <summary>Rows of the turned image above the crop.</summary>
    public int Top { get; }

    /// <summary>The view of an image: antialiased resize, bilinear turn.</summary>
    /// <param name="image">Any size.</param>
    public RgbImage OfImage(RgbImage image)
    {
        var resized = new float[3 * ResizedSize * ResizedSize];
        AntialiasedResampler.Resize(image, ResizedSize, ResizedSize, resized);
        return Render(
            (x, y, pixel) =>
            {
                var left = (int)Math.Floor(x);
                var top = (int)Math.Floor(y);
                var right = (float)(x - left);
                var down = (float)(y - top);
                for (var c = 0; c < pixel.Length; c++)
                {
                    var above = (1 - right) * At(left, top, c) + right * At(left + 1, top, c);
                    var below = (1 - right) * At(left, top + 1, c) + right * At(left + 1, top + 1, c);
                    pixel[c] = (byte)Math.Clamp(MathF.Round((1 - down) * above + down * below), 0, byte.MaxValue);
                }
            }
        );

        float At(int x, int y, int channel) =>
            IsInside(x) && IsInside(y) ? resized[3 * (y * ResizedSize + x) + channel] : 0;
    }

    /// <summary>The view of a mask, the nearest pixel at each step.</summary>
    /// <param name="mask">Any size.</param>
    public RgbImage OfMask(RgbImage mask) =>
        Render(
            (x, y, pixel) =>
            {
                var column = (int)Math.Floor(x + 0.5);
                var row = (int)Math.Floor(y + 0.5);
                if (!IsInside(column) || !IsInside(row))
                    return;
                mask.Pixels.AsSpan(
                        3 * (Nearest(row, mask.Height) * mask.Width + Nearest(column, mask.Width)),
                        pixel.Length
                    )
                    .CopyTo(pixel);
            }
        );

    private delegate void Sample(double x, double y, Span<byte> pixel);

    /// <summary>Asks for each pixel of the view at its place in the resized image.</summary>
    private RgbImage Render(Sample sample)
    {
        var pixels = new byte[3 * Size * Size];
        for (var y = 0; y < Size; y++)
        for (var x = 0; x < Size; x++)
        {
            var right = x + Left - Middle;
            var down = y + Top - Middle;
            sample(
                Middle + _cosine * right - _sine * down,
                Middle + _sine * right + _cosine * down,
                pixels.AsSpan(3 * (y * Size + x), 3)
            );
        }
        return new RgbImage(Size, Size, pixels);
    }

    private static bool IsInside(int at) => at is >= 0 and < ResizedSize;

    private static int Nearest(int at, int length) => (int)((2L * at + 1) * length / (2 * ResizedSize));

    /// <summary>
    /// Mathematical libraries differ in the last bits of sines; what is left here is alike everywhere.
    /// </summary>
    private static double Rounded(double value) => Math.Round(value * (1L << 32)) / (1L << 32);
}
