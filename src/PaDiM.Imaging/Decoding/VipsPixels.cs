using System.Runtime.InteropServices;
using NetVips;

namespace PaDiM.Imaging.Decoding;

/// <summary>Loads files with libvips and converts them to 8-bit sRGB.</summary>
internal static class VipsPixels
{
    /// <summary>Rows computed between two checks of the clock.</summary>
    private const int RowsPerCheck = 16;

    /// <summary>Reads the header of a file; pixels are decoded later.</summary>
    public static Image Load(Source source, ImageFormat format) =>
        format switch
        {
            ImageFormat.Png => Image.PngloadSource(source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error),
            ImageFormat.WebP => Image.WebploadSource(
                source,
                access: Enums.Access.Sequential,
                failOn: Enums.FailOn.Error
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };

    /// <summary>Gets the number of frames or pages.</summary>
    public static int CountFrames(Image image) => image.Contains("n-pages") ? (int)image.Get("n-pages") : 1;

    /// <summary>Decodes the pixels of a loaded file: upright, sRGB, 8 bits per channel.</summary>
    /// <exception cref="VipsException">The file is damaged.</exception>
    /// <exception cref="TimeoutException">The time is up.</exception>
    /// <exception cref="InvalidDataException">The channels are neither grey nor colour.</exception>
    /// <exception cref="SampleRangeException">A sample is larger than the scale allows.</exception>
    public static RgbImage Decode(Image image, TimedSource file, SampleScale scale) =>
        Decode(image, GetOrientation(image), file, scale);

    /// <summary>Decodes the pixels of a loaded file: upright, sRGB, 8 bits per channel.</summary>
    /// <param name="image">The file.</param>
    /// <param name="orientation">Its EXIF orientation.</param>
    /// <param name="file">Gives the time.</param>
    /// <param name="scale">The scale of 16-bit samples; null for a file of 8 bits.</param>
    /// <exception cref="VipsException">The file is damaged.</exception>
    /// <exception cref="TimeoutException">The time is up.</exception>
    /// <exception cref="InvalidDataException">The channels are neither grey nor colour.</exception>
    /// <exception cref="SampleRangeException">A sample is larger than the scale allows.</exception>
    public static RgbImage Decode(Image image, int orientation, TimedSource file, SampleScale? scale = null)
    {
        var clock = file.Clock;
        var isRgb = image.Interpretation is Enums.Interpretation.Srgb or Enums.Interpretation.Rgb16;
        if (!HasColours(image))
            return ToImage(ReadCanvas(image, clock, scale), CanvasColours.Grey, [], orientation, clock);
        if (image.Format == Enums.BandFormat.Ushort && isRgb)
            return ToImage(ReadCanvas(image, clock, scale), CanvasColours.Rgb, GetProfile(image), orientation, clock);
        using var rgb = ToSrgb(image);
        return ToImage(ReadCanvas(rgb, clock, scale: null), CanvasColours.Rgb, [], orientation, clock);
    }

    /// <summary>Creates the upright image from the samples of a file.</summary>
    /// <param name="canvas">The samples; the image may keep them.</param>
    /// <param name="colours">What they are.</param>
    /// <param name="profile">The colour profile; may be empty.</param>
    /// <param name="orientation">The orientation tag.</param>
    /// <param name="clock">The time that is left.</param>
    public static RgbImage ToImage(
        PixelCanvas canvas,
        CanvasColours colours,
        byte[] profile,
        int orientation,
        DecodeClock clock
    )
    {
        if (colours is CanvasColours.Inks or CanvasColours.Lab || (colours == CanvasColours.Rgb && profile.Length > 0))
            canvas = ToSrgb(canvas, colours, profile, clock);
        canvas.Flatten();
        var stored = new RgbImage(canvas.Width, canvas.Height, canvas.Samples);
        return orientation is > ExifOrientation.Upright and <= 8 ? Turn(stored, orientation, clock) : stored;
    }

    /// <summary>
    /// Computes rows on the calling thread, a few at a time. libvips would compute them on threads of its own, which
    /// have the priority of the thread that happened to start them: an image of the line could wait for a thread that a
    /// job started.
    /// </summary>
    /// <returns>The samples of all channels, as libvips has them.</returns>
    public static byte[] Fetch(Image image, int width, int rows, DecodeClock clock)
    {
        using var region = Region.New(image);
        var stride = width * image.Bands;
        var samples = GC.AllocateUninitializedArray<byte>(checked(stride * rows));
        for (var top = 0; top < rows; top += RowsPerCheck)
        {
            clock.ThrowIfExpired();
            region.Fetch(0, top, width, Math.Min(RowsPerCheck, rows - top)).CopyTo(samples, top * stride);
        }
        return samples;
    }

    /// <summary>Reads grey or colour, with or without alpha, to 8 bits.</summary>
    private static PixelCanvas ReadCanvas(Image image, DecodeClock clock, SampleScale? scale)
    {
        if (image.Bands > 4)
            throw new InvalidDataException($"{image.Bands} channels are neither grey nor colour");
        var canvas = new PixelCanvas(image.Width, image.Height, 3, image.Bands is 2 or 4);
        using var region = Region.New(image);
        for (var top = 0; top < image.Height; top += RowsPerCheck)
        {
            clock.ThrowIfExpired();
            var rows = Math.Min(RowsPerCheck, image.Height - top);
            var samples = region.Fetch(0, top, image.Width, rows);
            canvas.WriteRows(
                top,
                rows,
                image.Format == Enums.BandFormat.Ushort ? ToEightBits(samples, image.Bands, scale!) : samples
            );
        }
        return canvas;
    }

    private static byte[] ToEightBits(byte[] sixteenBits, int channels, SampleScale scale)
    {
        var samples = MemoryMarshal.Cast<byte, ushort>(sixteenBits);
        var bytes = new byte[samples.Length];
        scale.Convert(samples, bytes, channels);
        return bytes;
    }

    private static PixelCanvas ToSrgb(PixelCanvas canvas, CanvasColours colours, byte[] profile, DecodeClock clock)
    {
        using var stored = Image.NewFromMemory(
            canvas.Samples,
            canvas.Width,
            canvas.Height,
            canvas.Channels,
            Enums.BandFormat.Uchar
        );
        using var scaled =
            colours == CanvasColours.Lab ? stored.Linear([100 / 255.0, 1, 1], [0.0, -128, -128]) : stored.Copy();
        using var named = scaled.Copy(
            interpretation: colours switch
            {
                CanvasColours.Inks => Enums.Interpretation.Cmyk,
                CanvasColours.Lab => Enums.Interpretation.Lab,
                _ => Enums.Interpretation.Srgb,
            }
        );
        using var profiled =
            profile.Length > 0
                ? named.Mutate(mutable => mutable.Set(GValue.BlobType, "icc-profile-data", profile))
                : named.Copy();
        using var srgb = colours == CanvasColours.Lab ? FromLab(named) : ToSrgb(profiled);
        return new PixelCanvas(
            canvas.Width,
            canvas.Height,
            Fetch(srgb, canvas.Width, canvas.Height, clock),
            canvas.Alpha
        );
    }

    /// <summary>The white of L*a*b* in files is that of print (D50); libvips' own conversion has another one.</summary>
    private static Image FromLab(Image lab) =>
        lab.IccExport(outputProfile: "srgb", intent: Enums.Intent.Relative, depth: 8);

    /// <summary>
    /// Turns an image as its orientation tag says. From memory, since a turn reads rows out of order, which a
    /// sequential reader cannot.
    /// </summary>
    private static RgbImage Turn(RgbImage image, int orientation, DecodeClock clock)
    {
        using var stored = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var tagged = stored.Mutate(mutable => mutable.Set(GValue.GIntType, "orientation", orientation));
        using var upright = tagged.Autorot();
        return new RgbImage(upright.Width, upright.Height, Fetch(upright, upright.Width, upright.Height, clock));
    }

    private static int GetOrientation(Image image) =>
        image.Contains("orientation") ? (int)image.Get("orientation") : ExifOrientation.Upright;

    private static bool HasColours(Image image) =>
        image.Interpretation
            is not (Enums.Interpretation.Bw or Enums.Interpretation.Grey16 or Enums.Interpretation.Multiband);

    private static byte[] GetProfile(Image image) =>
        image.Contains("icc-profile-data") ? (byte[])image.Get("icc-profile-data") : [];

    /// <summary>Converts 8-bit samples to sRGB; grey stays grey.</summary>
    private static Image ToSrgb(Image image)
    {
        if (!image.Contains("icc-profile-data"))
            return image.Interpretation == Enums.Interpretation.Cmyk
                ? FromInks(image)
                : image.Colourspace(Enums.Interpretation.Srgb);
        try
        {
            return image.IccTransform("srgb", embedded: true, intent: Enums.Intent.Relative);
        }
        catch (VipsException)
        {
            // A profile that cannot be used says nothing about the colours: they are taken at face value.
            using var bare = image.Mutate(mutable => mutable.Remove("icc-profile-data"));
            return ToSrgb(bare);
        }
    }

    /// <summary>
    /// Converts inks of unknown profile as browsers do: each one takes its share of white away. libvips would take the
    /// profile of one certain paper, which makes greens and blues dull.
    /// </summary>
    private static Image FromInks(Image image)
    {
        using var paper = image.Invert();
        using var colours = paper.ExtractBand(0, n: 3);
        using var black = paper.ExtractBand(3);
        using var product = colours.Multiply(black);
        using var scaled = product.Linear([1 / 255.0], [0.0]);
        using var rounded = scaled.Rint();
        using var bytes = rounded.Cast(Enums.BandFormat.Uchar);
        return bytes.Copy(interpretation: Enums.Interpretation.Srgb);
    }
}
