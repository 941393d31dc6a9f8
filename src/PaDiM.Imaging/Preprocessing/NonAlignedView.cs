using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Represents the random view of an image in the paper's non-aligned protocol (Defard et al., Rd-MVTec AD): the image
/// is resized to 256 x 256, rotated about its centre by a random angle in [-10, 10] degrees with black around it, and
/// cropped at random to 224 x 224. Seed and name determine both draws on every machine. Immutable, thread-safe.
/// </summary>
public sealed class NonAlignedView
{
    /// <summary>Side length of the view in pixels.</summary>
    public const int Size = 224;

    private const int ResizedSize = 256;
    private const double MaxDegrees = 10,
        Centre = (ResizedSize - 1) / 2.0;

    private readonly double _cosine,
        _sine;

    /// <summary>Draws the angle and the crop for an image.</summary>
    /// <param name="seed">The repetition.</param>
    /// <param name="name">A name of the image that is the same on every machine.</param>
    public NonAlignedView(int seed, string name)
    {
        var drawn = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}|{name}")));
        Degrees = MaxDegrees * (2 * (BinaryPrimitives.ReadUInt32LittleEndian(drawn) / (double)uint.MaxValue) - 1);
        Left = (int)(BinaryPrimitives.ReadUInt32LittleEndian(drawn.AsSpan(4)) % (ResizedSize - Size + 1));
        Top = (int)(BinaryPrimitives.ReadUInt32LittleEndian(drawn.AsSpan(8)) % (ResizedSize - Size + 1));
        _cosine = RoundForAnyMachine(Math.Cos(double.DegreesToRadians(Degrees)));
        _sine = RoundForAnyMachine(Math.Sin(double.DegreesToRadians(Degrees)));
    }

    /// <summary>Gets the angle, anticlockwise.</summary>
    public double Degrees { get; }

    /// <summary>Gets the columns of the rotated image left of the crop.</summary>
    public int Left { get; }

    /// <summary>Gets the rows of the rotated image above the crop.</summary>
    public int Top { get; }

    /// <summary>Creates the view of an image: antialiased resize, bilinear rotation.</summary>
    /// <param name="image">Any size.</param>
    public RgbImage RenderImage(RgbImage image)
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

    /// <summary>Creates the view of a mask, from the nearest pixel at each step.</summary>
    /// <param name="mask">Any size.</param>
    public RgbImage RenderMask(RgbImage mask) =>
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

    /// <summary>Samples the resized image at the place of each pixel of the view.</summary>
    private RgbImage Render(Sample sample)
    {
        var pixels = new byte[3 * Size * Size];
        for (var y = 0; y < Size; y++)
        for (var x = 0; x < Size; x++)
        {
            var right = x + Left - Centre;
            var down = y + Top - Centre;
            sample(
                Centre + _cosine * right - _sine * down,
                Centre + _sine * right + _cosine * down,
                pixels.AsSpan(3 * (y * Size + x), 3)
            );
        }
        return new RgbImage(Size, Size, pixels);
    }

    private static bool IsInside(int at) => at is >= 0 and < ResizedSize;

    private static int Nearest(int at, int length) => (int)((2L * at + 1) * length / (2 * ResizedSize));

    /// <summary>
    /// Rounds to 32 fractional bits: mathematical libraries differ in the last bits of a sine.
    /// </summary>
    private static double RoundForAnyMachine(double value) => Math.Round(value * (1L << 32)) / (1L << 32);
}
