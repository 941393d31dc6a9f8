using System.Text;
using FsCheck.Xunit;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class PnmReaderTests
{
    [Theory]
    [InlineData("P2 3 1 255 0 128 255\n", new byte[] { 0, 128, 255 })]
    [InlineData("P2\n# a comment\n3 # another\n1\n1023\n0 512 1023\n", new byte[] { 0, 128, 255 })]
    [InlineData("P2 3 1 4095 16 2056 4095 ", new byte[] { 1, 128, 255 })]
    [InlineData("P2 2 1 1 0 1\n", new byte[] { 0, 255 })]
    [InlineData("P1 5 1 10110", new byte[] { 0, 255, 0, 0, 255 })]
    [InlineData("P1 2 2\n1 0\n0 1\n", new byte[] { 0, 255, 255, 0 })]
    [InlineData("P4 3 1\n\u00a0", new byte[] { 0, 255, 0 })]
    [InlineData("P5 2 1 255\n\u0000\u00ff", new byte[] { 0, 255 })]
    [InlineData("P5 2 1 100\n\u0032\u00ff", new byte[] { 128, 255 })]
    [InlineData("P5 2 1 65535\n\u0001\u0001\u00ff\u00ff", new byte[] { 1, 255 })]
    [InlineData("P5 2 1 4095\n\u0008\u0008\u000f\u00ff", new byte[] { 128, 255 })]
    public void Maps_of_every_kind_are_read(string text, byte[] expected) =>
        Assert.Equal(expected.SelectMany(v => new[] { v, v, v }), Read(text).Pixels);

    [Theory]
    [InlineData("P3 1 1 255 1 2 3\n")]
    [InlineData("P6 1 1 255\n\u0001\u0002\u0003")]
    [InlineData("P6 1 1 65535\n\u0001\u0001\u0002\u0002\u0003\u0003")]
    public void Colours_keep_their_order(string text) => Assert.Equal([1, 2, 3], Read(text).Pixels);

    [Theory]
    [InlineData("P5 ")]
    [InlineData("P5 2")]
    [InlineData("P5 2 1")]
    [InlineData("P5 2 1 255")]
    [InlineData("P5 0 1 255\n")]
    [InlineData("P5 2 1 0\n\u0000\u0000")]
    [InlineData("P5 2 1 65536\n\u0000\u0000\u0000\u0000")]
    [InlineData("P5 2 1 255\n\u0000")]
    [InlineData("P5 2 1 256\n\u0000\u0000\u0000")]
    [InlineData("P5 -2 1 255\n\u0000\u0000")]
    [InlineData("P5 99999999999999999999 1 255\n\u0000\u0000")]
    [InlineData("P2 2 1 255 12 13")]
    [InlineData("P2 2 1 255 12 ")]
    [InlineData("P2 2 1 255 12 256\n")]
    [InlineData("P2 2 1 255 12 x\n")]
    [InlineData("P1 2 1 1")]
    [InlineData("P1 2 1 12")]
    public void Damaged_maps_are_refused(string text) =>
        TestDecoder.Refused(Encoding.Latin1.GetBytes(text), ImageFault.Unreadable);

    [Theory]
    [InlineData("P5 2147483647 2147483647 255\n")]
    [InlineData("P2 2147483647 1 255\n")]
    [InlineData("P4 100000 100000\n")]
    public void A_size_beyond_the_limit_is_refused_from_the_header(string text) =>
        TestDecoder.Refused(Encoding.Latin1.GetBytes(text), ImageFault.TooLarge);

    [Fact]
    public void A_size_beyond_the_file_allocates_nothing()
    {
        var file = "P5 8000 8000 255\n"u8.ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        TestDecoder.Refused(file, ImageFault.Unreadable);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Property(MaxTest = 1000)]
    public void Random_bytes_are_refused_or_read_but_never_anything_else(byte kind, byte[] bytes, bool isSane)
    {
        var start = Encoding.ASCII.GetBytes($"P{1 + kind % 6} {(isSane ? "3 2 255 " : "")}");
        new ImageDecoder(1 << 16).Decode([.. start, .. bytes]);
    }

    private static RgbImage Read(string text) => TestDecoder.Image(Encoding.Latin1.GetBytes(text));
}
