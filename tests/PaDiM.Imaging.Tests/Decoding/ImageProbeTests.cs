using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Imaging.Tests.Decoding;

/// <summary>What is known of an image before it is decoded.</summary>
public sealed class ImageProbeTests
{
    [Theory]
    [InlineData(ImageFormat.Png, 10)]
    [InlineData(ImageFormat.Jpeg, 10)]
    [InlineData(ImageFormat.Tiff, 10)]
    [InlineData(ImageFormat.WebP, 10)]
    [InlineData(ImageFormat.Bmp, 3)]
    [InlineData(ImageFormat.Pnm, 3)]
    public void A_header_says_the_size_and_what_decoding_takes(ImageFormat format, int bytesPerPixel)
    {
        var bytes = Samples.Encode(Samples.Rgb(20, 10), format);
        Assert.True(new ImageDecoder().TryProbe(bytes, out var header, out var refused));
        Assert.Null(refused);
        Assert.Equal(new ImageHeader(format, 20, 10, 200 * bytesPerPixel), header);
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Jpeg)]
    [InlineData(ImageFormat.Tiff)]
    [InlineData(ImageFormat.WebP)]
    [InlineData(ImageFormat.Bmp)]
    public void A_header_is_refused_in_the_words_of_the_image(ImageFormat format)
    {
        var whole = Samples.Encode(Samples.Rgb(20, 10), format);
        var decoder = new ImageDecoder(100);
        foreach (var bytes in new[] { whole, whole[..8], [], [1, 2, 3] })
        {
            Assert.False(decoder.TryProbe(bytes, out var header, out var refused));
            Assert.NotNull(refused);
            Assert.Equal(decoder.Decode(bytes), refused);
        }
    }

    [Fact]
    public void The_time_of_a_header_is_limited()
    {
        var decoder = new ImageDecoder(limit: TimeSpan.FromTicks(-1));
        var bytes = Samples.Encode(Samples.Rgb(20, 10), ImageFormat.Jpeg);
        Assert.False(decoder.TryProbe(bytes, out _, out var refused));
        Assert.Equal(ImageFault.TooComplex, refused.Fault);
        Assert.True(decoder.WithoutTimeLimit().TryProbe(bytes, out _, out _));
    }

    [Fact]
    public void Memory_is_reserved_before_the_pixels_are_decoded_and_given_back_after_it()
    {
        var reserved = new Reservation();
        var decoder = new ImageDecoder().WithoutTimeLimit(bytes =>
        {
            reserved.Bytes = bytes;
            return reserved;
        });
        Assert.IsType<DecodeResult.Decoded>(decoder.Decode(Samples.Encode(Samples.Rgb(20, 10), ImageFormat.Png)));
        Assert.Equal(2000, reserved.Bytes);
        Assert.True(reserved.IsDisposed);
    }

    private sealed class Reservation : IDisposable
    {
        public long Bytes { get; set; }

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    [Theory]
    [InlineData(ImageFormat.Png)]
    [InlineData(ImageFormat.Bmp)]
    [InlineData(ImageFormat.Jpeg)]
    public void An_image_that_takes_more_memory_than_allowed_is_refused(ImageFormat format)
    {
        var bytes = Samples.Encode(Samples.Rgb(61, 43), format);
        Assert.True(new ImageDecoder().TryProbe(bytes, out var header, out _));
        Assert.True(new ImageDecoder(maxDecodeBytes: header.DecodeBytes).TryProbe(bytes, out _, out _));
        Assert.False(new ImageDecoder(maxDecodeBytes: header.DecodeBytes - 1).TryProbe(bytes, out _, out var refused));
        Assert.Equal(ImageFault.TooLarge, refused.Fault);
    }
}
