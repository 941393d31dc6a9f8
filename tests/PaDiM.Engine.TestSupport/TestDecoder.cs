using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.TestSupport;

internal static class TestDecoder
{
    private static readonly ImageDecoder Decoder = new();

    /// <summary>Decodes bytes that must be an image.</summary>
    public static RgbImage Image(byte[] bytes) => Assert.IsType<DecodeResult.Decoded>(Decoder.Decode(bytes)).Image;

    /// <summary>Decodes bytes that must be refused for a reason, with a sentence.</summary>
    public static string Refused(byte[] bytes, ImageFault fault)
    {
        var refused = Assert.IsType<DecodeResult.Refused>(Decoder.Decode(bytes));
        Assert.Equal(fault, refused.Fault);
        Assert.EndsWith(".", refused.Detail, StringComparison.Ordinal);
        return refused.Detail;
    }

    /// <summary>The largest difference of two images of one size.</summary>
    public static int Difference(RgbImage expected, RgbImage actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        return expected.Pixels.Zip(actual.Pixels, (e, a) => Math.Abs(e - a)).Max();
    }
}
