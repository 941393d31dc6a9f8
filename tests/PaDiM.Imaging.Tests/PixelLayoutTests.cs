using System.Buffers.Binary;
using System.Runtime.InteropServices;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Imaging.Tests;

/// <summary>Raw pixels become the image that the decoder makes of a lossless file of them.</summary>
public sealed class PixelLayoutTests
{
    private const int Width = 37,
        Height = 23;

    [Fact]
    public void Red_first_pixels_are_the_image_and_are_not_copied()
    {
        var samples = Samples.Bytes(Width, Height, 3);
        var image = new PixelLayout(Width, Height, PixelFormat.Rgb24).ToImage(samples);
        Assert.Same(samples, image.Pixels);
        Assert.Equal((Width, Height), (image.Width, image.Height));
        Assert.Equal(
            TestDecoder.Image(Samples.Encode(Samples.Rgb(Width, Height), ImageFormat.Png)).Pixels,
            image.Pixels
        );
    }

    [Fact]
    public void Blue_first_pixels_are_turned_round_and_the_bytes_left_alone()
    {
        var rgb = Samples.Bytes(Width, Height, 3);
        byte[] bgr = [.. rgb.Chunk(3).SelectMany(pixel => pixel.Reverse())];
        var sent = bgr.ToArray();
        Assert.Equal(rgb, new PixelLayout(Width, Height, PixelFormat.Bgr24).ToImage(bgr).Pixels);
        Assert.Equal(sent, bgr);
    }

    [Fact]
    public void Grey_is_replicated_as_from_a_file()
    {
        var samples = Samples.Bytes(Width, Height, 1);
        using var image = Samples.Vips(samples, Width, Height, 1);
        Assert.Equal(
            TestDecoder.Image(Samples.Encode(image, ImageFormat.Png)).Pixels,
            new PixelLayout(Width, Height, PixelFormat.Gray8).ToImage(samples).Pixels
        );
    }

    [Fact]
    public void Each_of_the_65536_values_of_sixteen_bits_is_scaled_as_from_a_file()
    {
        ushort[] values = [.. Enumerable.Range(0, 65536).Select(value => (ushort)value)];
        using var image = Samples.Vips(values, 256, 256, 1);
        // The machine's order is the low byte first, as everywhere that this runs.
        Assert.True(BitConverter.IsLittleEndian);
        var raw = new PixelLayout(256, 256, PixelFormat.Gray16).ToImage(
            MemoryMarshal.AsBytes(values.AsSpan()).ToArray()
        );
        Assert.Equal(TestDecoder.Image(Samples.Encode(image, ImageFormat.Png)).Pixels, raw.Pixels);
        Assert.Equal(values.Select(value => (byte)Math.Round(value / 257.0)), raw.Pixels.Where((_, i) => i % 3 == 0));
    }

    [Theory]
    [InlineData(PixelFormat.Rgb24, 3)]
    [InlineData(PixelFormat.Bgr24, 3)]
    [InlineData(PixelFormat.Gray8, 1)]
    [InlineData(PixelFormat.Gray16, 2)]
    [InlineData(PixelFormat.Gray10, 2)]
    [InlineData(PixelFormat.Gray12, 2)]
    [InlineData(PixelFormat.Gray12p, 1.5)]
    [InlineData(PixelFormat.Gray10p, 1.25)]
    [InlineData(PixelFormat.BayerRg8, 1)]
    [InlineData(PixelFormat.BayerGr8, 1)]
    [InlineData(PixelFormat.BayerGb8, 1)]
    [InlineData(PixelFormat.BayerBg8, 1)]
    public void Another_number_of_bytes_is_refused(PixelFormat format, double bytesPerPixel)
    {
        var layout = new PixelLayout(5, 4, format);
        Assert.Equal(20 * bytesPerPixel, layout.Length);
        foreach (var length in new[] { 0, layout.Length - 1, layout.Length + 1 })
            Assert.Contains(
                $"{layout.Length}",
                Assert.Throws<ArgumentException>(() => layout.ToImage(new byte[length])).Message,
                StringComparison.Ordinal
            );
    }

    [Theory]
    [InlineData(PixelFormat.Gray10, 10)]
    [InlineData(PixelFormat.Gray12, 12)]
    public void Each_value_of_ten_and_twelve_bits_is_scaled_and_the_next_one_refused(PixelFormat format, int bits)
    {
        var most = (1 << bits) - 1;
        var raw = new byte[2 << bits];
        for (var value = 0; value <= most; value++)
            BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(2 * value), (ushort)value);
        var layout = new PixelLayout(1 << bits - 5, 32, format);
        Assert.Equal(
            Enumerable.Range(0, most + 1).Select(value => (byte)Math.Round(value * 255.0 / most)),
            layout.ToImage(raw).Pixels.Where((_, i) => i % 3 == 0)
        );
        BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(2), (ushort)(most + 1));
        var refused = Assert.IsType<DecodeResult.Refused>(
            ImageDecoder.DecodePixels(raw, layout, DecodeOptions.Default)
        );
        Assert.Equal(ImageFault.SampleOutOfRange, refused.Fault);
    }

    [Theory]
    [InlineData(PixelFormat.Gray10p, PixelFormat.Gray10, 10)]
    [InlineData(PixelFormat.Gray12p, PixelFormat.Gray12, 12)]
    public void Packed_pixels_go_on_across_rows_with_the_lowest_bit_first(
        PixelFormat packed,
        PixelFormat whole,
        int bits
    )
    {
        foreach (var (width, height) in new[] { (1, 1), (3, 1), (5, 3), (7, 2), (8, 4) })
        {
            var random = new Random(width);
            ushort[] samples = [.. Enumerable.Range(0, width * height).Select(_ => (ushort)random.Next(1 << bits))];
            // One big number, of which the first pixel is the lowest digit.
            var number = System.Numerics.BigInteger.Zero;
            foreach (var sample in samples.Reverse())
                number = (number << bits) + sample;
            var bytes = new byte[(width * height * bits + 7) / 8];
            number.ToByteArray(isUnsigned: true).CopyTo(bytes, 0);
            var layout = new PixelLayout(width, height, packed);
            Assert.Equal(bytes.Length, layout.Length);
            Assert.Equal(
                new PixelLayout(width, height, whole)
                    .ToImage([.. samples.SelectMany(v => new[] { (byte)v, (byte)(v >> 8) })])
                    .Pixels,
                layout.ToImage(bytes).Pixels
            );
        }
    }

    [Fact]
    public void The_first_two_packed_pixels_are_those_of_GenICam()
    {
        // 0xABC and 0x123.
        var pixels = new PixelLayout(2, 1, PixelFormat.Gray12p).ToImage([0xBC, 0x3A, 0x12]).Pixels;
        Assert.Equal((byte)Math.Round(0xABC * 255 / 4095.0), pixels[0]);
        Assert.Equal((byte)Math.Round(0x123 * 255 / 4095.0), pixels[3]);
    }

    [Fact]
    public void Sixteen_bits_have_the_depth_that_is_declared()
    {
        byte[] raw = [0xFF, 0x0F, 0x00, 0x08, 0x00, 0x00];
        var layout = new PixelLayout(3, 1, PixelFormat.Gray16);
        Assert.Equal([255, 255, 255, 128, 128, 128, 0, 0, 0], Read(12).Pixels);
        Assert.Equal([16, 16, 16, 8, 8, 8, 0, 0, 0], Read(null).Pixels);

        RgbImage Read(int? bits) =>
            Assert
                .IsType<DecodeResult.Decoded>(
                    ImageDecoder.DecodePixels(raw, layout, new DecodeOptions { SignificantBits = bits })
                )
                .Image;
    }

    [Fact]
    public void The_length_of_a_size_beyond_all_limits_does_not_overflow() =>
        Assert.Equal(3L * int.MaxValue * 2, new PixelLayout(int.MaxValue, 2, PixelFormat.Rgb24).Length);
}
