using NetVips;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class ImageDecoderTests
{
    [Theory]
    [InlineData(ImageFormat.Png, 0)]
    [InlineData(ImageFormat.Bmp, 0)]
    [InlineData(ImageFormat.Tiff, 0)]
    [InlineData(ImageFormat.WebP, 0)]
    [InlineData(ImageFormat.Pnm, 0)]
    [InlineData(ImageFormat.Jpeg, 8)]
    public void An_encoded_image_comes_back(ImageFormat format, int tolerance)
    {
        var image = Samples.Rgb(61, 43);
        var bytes = Samples.Encode(image, format);
        Assert.Equal(format, Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(bytes)).Format);
        Assert.InRange(TestDecoder.Difference(image, TestDecoder.Image(bytes)), 0, tolerance);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Tiff)]
    public void Sixteen_bits_are_scaled_and_rounded_without_clipping(ImageFormat format)
    {
        ushort[] values = [0, 1, 128, 129, 256, 257, 385, 386, 32767, 32768, 65406, 65407, 65534, 65535];
        using var image = Samples.Vips(values, values.Length, 1, 1);
        var expected = values.Select(value => (byte)Math.Round(value / 257.0)).ToArray();
        Assert.Equal(
            expected.SelectMany(v => new[] { v, v, v }),
            TestDecoder.Image(Samples.Encode(image, format)).Pixels
        );
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Tiff)]
    public void Sixteen_bit_colour_keeps_its_channels_apart(ImageFormat format)
    {
        ushort[] values = [65535, 0, 257, 514, 30000, 60000];
        using var image = Samples.Vips(values, 2, 1, 3);
        Assert.Equal(
            values.Select(value => (byte)Math.Round(value / 257.0)),
            TestDecoder.Image(Samples.Encode(image, format)).Pixels
        );
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.Jpeg)]
    public void Grey_is_replicated(ImageFormat format)
    {
        var samples = Samples.Bytes(32, 32, 1);
        using var image = Samples.Vips(samples, 32, 32, 1);
        var decoded = TestDecoder.Image(Samples.Encode(image, format));
        Assert.All(
            Enumerable.Range(0, samples.Length),
            i =>
            {
                Assert.InRange(Math.Abs(samples[i] - decoded.Pixels[3 * i]), 0, format == ImageFormat.Jpeg ? 4 : 0);
                Assert.Equal(decoded.Pixels[3 * i], decoded.Pixels[3 * i + 1]);
                Assert.Equal(decoded.Pixels[3 * i], decoded.Pixels[3 * i + 2]);
            }
        );
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    public void Transparency_is_flattened_on_black(ImageFormat format)
    {
        byte[] samples = [200, 100, 50, 255, 200, 100, 50, 0, 200, 100, 50, 51];
        using var image = Samples.Vips(samples, 3, 1, 4);
        var bytes =
            format == ImageFormat.WebP
                ? image.WebpsaveBuffer(lossless: true, exact: true)
                : Samples.Encode(image, format);
        byte[] expected = [200, 100, 50, 0, 0, 0, 40, 20, 10];
        Assert.InRange(TestDecoder.Difference(new RgbImage(3, 1, expected), TestDecoder.Image(bytes)), 0, 1);
    }

    [Fact]
    public void Partial_transparency_is_rounded_as_libvips_rounds_it()
    {
        byte[] samples =
        [
            .. from alpha in Enumerable.Range(0, 256)
            from value in Enumerable.Range(0, 256)
            from sample in new[] { value, 255 - value, value ^ 85, alpha }
            select (byte)sample,
        ];
        using var image = Samples.Vips(samples, 256, 256, 4);
        using var flat = image.Flatten();
        Assert.Equal(flat.WriteToMemory<byte>(), TestDecoder.Image(image.PngsaveBuffer()).Pixels);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    public void An_image_that_is_transparent_everywhere_keeps_its_colours(ImageFormat format)
    {
        var colours = Samples.Rgb(20, 10);
        var samples = colours.Pixels.Chunk(3).SelectMany(pixel => new[] { pixel[0], pixel[1], pixel[2], (byte)0 });
        using var image = Samples.Vips([.. samples], 20, 10, 4);
        var bytes =
            format == ImageFormat.WebP
                ? image.WebpsaveBuffer(lossless: true, exact: true)
                : Samples.Encode(image, format);
        Assert.Equal(colours.Pixels, TestDecoder.Image(bytes).Pixels);
    }

    [Fact]
    public void Sixteen_bit_and_grey_images_that_are_transparent_everywhere_keep_theirs_too()
    {
        using var grey = Samples.Vips([51400, 0, 257, 0], 2, 1, 2);
        Assert.Equal([200, 200, 200, 1, 1, 1], TestDecoder.Image(grey.PngsaveBuffer()).Pixels);
        using var colour = Samples.Vips([51400, 257, 0, 0, 514, 0, 65535, 0], 2, 1, 4);
        Assert.Equal([200, 1, 0, 2, 0, 255], TestDecoder.Image(colour.PngsaveBuffer()).Pixels);
    }

    [Fact]
    public void Sixteen_bit_grey_with_alpha_is_scaled_and_flattened()
    {
        using var image = Samples.Vips([51400, 65535, 51400, 0], 2, 1, 2);
        Assert.Equal([200, 200, 200, 0, 0, 0], TestDecoder.Image(image.PngsaveBuffer()).Pixels);
    }

    [Fact]
    public void Palette_images_have_the_colours_of_their_palette()
    {
        // Four colours in blocks: a palette of four holds them exactly.
        byte[][] colours =
        [
            [250, 10, 10],
            [10, 250, 10],
            [10, 10, 250],
            [128, 128, 0],
        ];
        var pixels = (
            from y in Enumerable.Range(0, 32)
            from x in Enumerable.Range(0, 32)
            from v in colours[x / 16 + y / 16 * 2]
            select v
        ).ToArray();
        using var image = Samples.Vips(pixels, 32, 32, 3);
        var bytes = image.PngsaveBuffer(palette: true, dither: 0);
        Assert.True(bytes.AsSpan().IndexOf("PLTE"u8) > 0);
        Assert.InRange(TestDecoder.Difference(new RgbImage(32, 32, pixels), TestDecoder.Image(bytes)), 0, 1);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Tiff)]
    public void One_bit_images_are_black_and_white(ImageFormat format)
    {
        var samples = Enumerable.Range(0, 19 * 3).Select(i => (byte)(i % 3 == 0 ? 255 : 0)).ToArray();
        using var image = Samples.Vips(samples, 19, 3, 1);
        var bytes = format == ImageFormat.Png ? image.PngsaveBuffer(bitdepth: 1) : image.TiffsaveBuffer(bitdepth: 1);
        Assert.Equal(samples.SelectMany(v => new[] { v, v, v }), TestDecoder.Image(bytes).Pixels);
    }

    [Fact]
    public void Interlaced_png_and_progressive_jpeg_equal_the_plain_ones()
    {
        using var image = Samples.Rgb(57, 35).Vips();
        Assert.Equal(
            TestDecoder.Image(image.PngsaveBuffer()).Pixels,
            TestDecoder.Image(image.PngsaveBuffer(interlace: true)).Pixels
        );
        Assert.Equal(
            TestDecoder.Image(image.JpegsaveBuffer()).Pixels,
            TestDecoder.Image(image.JpegsaveBuffer(interlace: true)).Pixels
        );
    }

    [Fact]
    public void A_cmyk_jpeg_is_converted_to_rgb()
    {
        // White, then black: no ink, then all of the black one.
        var samples = (
            from y in Enumerable.Range(0, 32)
            from x in Enumerable.Range(0, 32)
            from c in Enumerable.Range(0, 4)
            select (byte)(c == 3 && x >= 16 ? 255 : 0)
        ).ToArray();
        using var raw = Image.NewFromMemoryCopy(samples, 32, 32, 4, Enums.BandFormat.Uchar);
        using var cmyk = raw.Copy(interpretation: Enums.Interpretation.Cmyk);
        var decoded = TestDecoder.Image(cmyk.JpegsaveBuffer(q: 95));
        Assert.True(decoded.Pixels[..3].All(v => v > 240), string.Join(' ', decoded.Pixels[..3]));
        Assert.True(decoded.Pixels[^3..].All(v => v < 60), string.Join(' ', decoded.Pixels[^3..]));
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(255, 0, 0, 0)]
    [InlineData(0, 255, 255, 0)]
    [InlineData(200, 40, 0, 100)]
    [InlineData(0, 0, 0, 255)]
    public void Inks_without_a_profile_each_take_their_share_of_white_away(
        byte cyan,
        byte magenta,
        byte yellow,
        byte black
    )
    {
        byte[] inks = [cyan, magenta, yellow, black];
        using var raw = Image.NewFromMemoryCopy(
            [.. Enumerable.Repeat(inks, 256).SelectMany(v => v)],
            16,
            16,
            4,
            Enums.BandFormat.Uchar
        );
        using var cmyk = raw.Copy(interpretation: Enums.Interpretation.Cmyk);
        var decoded = TestDecoder.Image(cmyk.JpegsaveBuffer(q: 100, keep: Enums.ForeignKeep.None)).Pixels;
        foreach (var (ink, value) in inks[..3].Zip(decoded))
            Assert.InRange(Math.Abs((255 - ink) * (255 - black) / 255.0 - value), 0, 2);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Tiff)]
    public void A_colour_profile_is_applied(ImageFormat format)
    {
        using var plain = Samples.Vips(
            [.. Enumerable.Repeat<byte[]>([200, 40, 40], 256).SelectMany(v => v)],
            16,
            16,
            3
        );
        using var wide = plain.IccTransform("p3", inputProfile: "srgb");
        var bytes = Samples.Encode(wide, format);
        // The numbers in the file are those of the wider space; decoded, they are sRGB's again.
        Assert.True(Math.Abs(Pixel(wide)[1] - 40) > 5);
        var decoded = TestDecoder.Image(bytes).Pixels;
        Assert.InRange(Math.Abs(decoded[0] - 200), 0, 4);
        Assert.InRange(Math.Abs(decoded[1] - 40), 0, 4);
        Assert.InRange(Math.Abs(decoded[2] - 40), 0, 4);

        static double[] Pixel(Image image) => image.Getpoint(0, 0);
    }

    [Theory]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    public void A_colour_profile_of_garbage_is_passed_over(ImageFormat format)
    {
        using var image = Samples.Rgb(40, 30).Vips();
        using var tagged = image.Mutate(mutable =>
            mutable.Set(GValue.BlobType, "icc-profile-data", Samples.Noise(20, 20).Pixels)
        );
        Assert.Equal(
            TestDecoder.Image(Samples.Encode(image, format)).Pixels,
            TestDecoder.Image(Samples.Encode(tagged, format)).Pixels
        );
    }

    [Fact]
    public void Samples_that_are_neither_8_nor_16_bits_wide_are_refused()
    {
        using var image = Samples.Rgb(8, 8).Vips();
        using var floats = image.Cast(Enums.BandFormat.Float);
        Assert.Contains(
            "8 or 16 bits",
            TestDecoder.Refused(floats.TiffsaveBuffer(), ImageFault.Unsupported),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void One_decoder_serves_many_threads()
    {
        var image = Samples.Noise(90, 70);
        var files = Enum.GetValues<ImageFormat>()
            .Where(f => f != ImageFormat.Jpeg)
            .Select(f => Samples.Encode(image, f))
            .ToArray();
        Parallel.For(0, 64, i => Assert.Equal(image.Pixels, TestDecoder.Image(files[i % files.Length]).Pixels));
    }
}
