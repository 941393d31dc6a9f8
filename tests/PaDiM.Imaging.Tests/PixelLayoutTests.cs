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
    public void Another_number_of_bytes_is_refused(PixelFormat format, int bytesPerPixel)
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

    [Fact]
    public void The_length_of_a_size_beyond_all_limits_does_not_overflow() =>
        Assert.Equal(3L * int.MaxValue * 2, new PixelLayout(int.MaxValue, 2, PixelFormat.Rgb24).Length);
}
