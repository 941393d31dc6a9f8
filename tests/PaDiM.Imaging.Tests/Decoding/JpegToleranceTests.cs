using NetVips;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Imaging.Tests.Decoding;

/// <summary>
/// What viewers open without losing a pixel has its pixels here too, and a warning. What has lost pixels is refused.
/// </summary>
public sealed class JpegToleranceTests
{
    private const byte Frame = 0xC0,
        Scan = 0xDA,
        Application0 = 0xE0,
        Exif = 0xE1,
        Application2 = 0xE2,
        Adobe = 0xEE;

    private static readonly RgbImage Image = Samples.Noise(72, 50);
    private static readonly byte[] Plain = Encode();

    [Theory]
    [InlineData("jpeg")]
    [InlineData("progressive")]
    [InlineData("three scans")]
    public void A_file_as_it_should_be_has_no_warning(string kind) =>
        Assert.Empty(Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(Encode(kind))).Warnings);

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 63, 0x10)]
    [InlineData(1, 5, 0)]
    public void The_end_of_a_scan_header_does_not_matter_unless_the_scans_refine_each_other(
        byte from,
        byte to,
        byte bits
    ) =>
        IsRepaired(
            Plain,
            JpegFile.Change(Plain, Scan, scan => [.. scan[..11], from, to, bits, .. scan[14..]]),
            "scan header"
        );

    [Theory]
    [InlineData("jpeg")]
    [InlineData("progressive")]
    [InlineData("three scans")]
    public void Stray_bytes_between_segments_are_skipped(string kind)
    {
        var whole = Encode(kind);
        var parts = JpegFile.Split(whole);
        byte[][] strays = [new byte[18], [0x55], [0xFF, 0, 7], [0, 0xFF, 0xFF]];
        foreach (var stray in strays)
        // Behind a scan, its data would go on.
        foreach (var index in Enumerable.Range(1, parts.Count - 1).Where(index => parts[index - 1][1] != Scan))
            IsRepaired(whole, JpegFile.Insert(whole, index, stray), "stray bytes");
    }

    [Fact]
    public void Fill_bytes_may_precede_every_marker()
    {
        byte[] fill = [0xFF, 0xFF, 0xFF];
        foreach (var index in Enumerable.Range(1, JpegFile.Split(Plain).Count - 1))
        {
            var decoded = Decode(JpegFile.Insert(Plain, index, fill));
            Assert.Equal(TestDecoder.Image(Plain).Pixels, decoded.Image.Pixels);
            Assert.Empty(decoded.Warnings);
        }
        IsRepaired(Plain, [.. fill, .. Plain], "fill bytes");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0")]
    [InlineData("\0\0II*\0")]
    [InlineData("\0\0II*\0\u00FF\u00FF\u00FF\u00FF")]
    [InlineData("\0\0II*\0\u00FF\u00FF\u00FF\u007F")]
    [InlineData("\0\0MM\0*\0\0\0\u0008\u00FF\u00FF")]
    [InlineData("\0\0XX\0*\0\0\0\u0008\0\0")]
    public void Damaged_metadata_does_no_harm(string content)
    {
        byte[] exif = JpegFile.Segment(Exif, [.. "Exif"u8, .. content.Select(c => (byte)c)]);
        IsRepaired(Plain, JpegFile.Insert(Plain, 1, exif), "EXIF");
    }

    [Fact]
    public void The_orientation_is_read_even_if_the_metadata_is_damaged_behind_it()
    {
        // Fields of more values than there are bytes, more fields than there are, and a next directory far away.
        byte[] exif = JpegFile.Segment(
            Exif,
            [
                .. "Exif\0\0MM\0*\0\0\0\u0008\0\u0040"u8,
                .. new byte[] { 0x01, 0x0F, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF },
                .. new byte[] { 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0 },
                .. new byte[] { 0x87, 0x69, 0, 4, 0, 0 },
            ]
        );
        var decoded = Decode(JpegFile.Insert(Plain, 1, exif));
        Assert.Equal((Image.Height, Image.Width), (decoded.Image.Width, decoded.Image.Height));
        Assert.Equal((Image.Height, Image.Width), (decoded.Size.Width, decoded.Size.Height));
        var upright = TestDecoder.Image(Plain);
        Assert.Equal(upright.Pixels.AsSpan(3 * (Image.Height - 1) * Image.Width, 3), decoded.Image.Pixels.AsSpan(0, 3));
    }

    [Fact]
    public void Metadata_of_any_length_and_kind_does_no_harm()
    {
        byte[] bytes = Samples.Noise(140, 156).Pixels[..65_400];
        var segments = Enumerable
            .Range(Application0, 16)
            .Append(0xFE)
            .Select(marker => JpegFile.Segment((byte)marker, bytes));
        var decoded = Decode(JpegFile.Insert(Plain, 1, JpegFile.Join(segments)));
        Assert.Equal(TestDecoder.Image(Plain).Pixels, decoded.Image.Pixels);
        Assert.Empty(decoded.Warnings);
    }

    [Fact]
    public void An_Adobe_segment_that_is_cut_short_counts_as_none()
    {
        foreach (var length in new[] { 5, 6, 11 })
        {
            var adobe = JpegFile.Segment(Adobe, [.. "Adobe\0d\0\0\0\0\0"u8[..length]]);
            IsRepaired(Plain, JpegFile.Insert(Plain, 1, adobe), "Adobe");
        }
    }

    [Fact]
    public void An_Adobe_segment_with_an_unknown_colour_space_means_the_usual_one()
    {
        byte[] adobe = JpegFile.Segment(Adobe, [.. "Adobe\0d\0\0\0\0"u8, 7]);
        IsRepaired(Plain, JpegFile.Insert(Plain, 1, adobe), "Adobe");
    }

    [Fact]
    public void A_later_version_of_JFIF_is_read_as_the_one_that_is_known() =>
        IsRepaired(
            Plain,
            JpegFile.Insert(Plain, 1, JpegFile.Segment(Application0, [.. "JFIF\0\u0002\0\0\0\u0001\0\u0001\0\0"u8])),
            "version"
        );

    [Fact]
    public void Of_a_photograph_with_a_gain_map_the_photograph_is_read()
    {
        var map = Samples.Encode(Samples.Noise(18, 12, seed: 2), ImageFormat.Jpeg);
        byte[] index = JpegFile.Segment(Application2, [.. "MPF\0MM\0*\0\0\0\u0008\0\0"u8]);
        byte[] gain = JpegFile.Segment(Exif, [.. "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta gain:Version=\"1.0\"/>"u8]);
        var decoded = Decode([.. JpegFile.Insert(Plain, 2, [.. gain, .. index]), .. map]);
        Assert.Equal(TestDecoder.Image(Plain).Pixels, decoded.Image.Pixels);
        Assert.Empty(decoded.Warnings);
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("grey")]
    [InlineData("progressive")]
    [InlineData("restarts")]
    [InlineData("three scans")]
    public void A_file_cut_at_any_byte_is_refused(string kind)
    {
        var whole = Encode(kind);
        TestDecoder.Image(whole);
        var accepted = Enumerable
            .Range(2, whole.Length - 2)
            .Where(length => new ImageDecoder().Decode(whole[..length]) is DecodeResult.Decoded);
        Assert.Empty(accepted);
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("grey")]
    [InlineData("progressive")]
    [InlineData("restarts")]
    [InlineData("three scans")]
    public void A_file_that_ends_properly_but_lacks_data_before_its_end_is_refused(string kind)
    {
        var whole = Encode(kind);
        // The last byte may hold nothing but padding.
        foreach (var lost in Enumerable.Range(2, 40))
            TestDecoder.Refused([.. whole[..^(2 + lost)], .. JpegFile.End], ImageFault.Unreadable);
    }

    [Fact]
    public void A_file_without_the_scan_of_a_component_is_refused()
    {
        var parts = JpegFile.ThreeScans(Image);
        foreach (var index in Enumerable.Range(0, parts.Count).Where(index => parts[index][1] == Scan))
            TestDecoder.Refused(JpegFile.Join(parts.Where((_, i) => i != index)), ImageFault.Unreadable);
    }

    [Theory]
    [InlineData(0xC3, 8, "lossless")]
    [InlineData(0xC7, 8, "hierarchical")]
    [InlineData(0xC1, 12, "12 bits")]
    public void What_is_not_supported_says_so(byte marker, byte bits, string reason) =>
        Assert.Contains(
            reason,
            TestDecoder.Refused(
                JpegFile.Change(Plain, Frame, frame => [0xFF, marker, .. frame[2..4], bits, .. frame[5..]]),
                ImageFault.Unreadable
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void Segments_without_end_are_refused_soon()
    {
        byte[] bytes = [.. Plain[..2], .. Enumerable.Repeat<byte[]>([0xFF, 0xFE, 0, 2], 1 << 20).SelectMany(v => v)];
        TestDecoder.Refused(bytes, ImageFault.Unreadable);
    }

    [Theory]
    [InlineData("j_samsung_sos.jpg", true)]
    [InlineData("j_extra_before_sof.jpg", true)]
    [InlineData("j_trailer.jpg", false)]
    public void Files_that_are_open_to_every_viewer_have_their_pixels(string name, bool repaired)
    {
        Assert.SkipUnless(SharedFolder.Has($"cases/{name}"), SharedFolder.Missing($"cases/{name}"));
        var decoded = Decode(File.ReadAllBytes(SharedFolder.Path($"cases/{name}")));
        Assert.Equal(
            TestDecoder.Image(File.ReadAllBytes(SharedFolder.Path("cases/base.jpg"))).Pixels,
            decoded.Image.Pixels
        );
        Assert.Equal(repaired, decoded.Warnings.Count > 0);
    }

    private static void IsRepaired(byte[] whole, byte[] faulty, string fault)
    {
        var decoded = Decode(faulty);
        Assert.Equal(TestDecoder.Image(whole).Pixels, decoded.Image.Pixels);
        var warning = Assert.Single(decoded.Warnings);
        Assert.Equal(ImageWarningKind.FileRepaired, warning.Kind);
        Assert.Contains(fault, warning.Detail, StringComparison.Ordinal);
    }

    private static DecodeResult.Decoded Decode(byte[] bytes)
    {
        var result = new ImageDecoder().Decode(bytes);
        Assert.True(result is DecodeResult.Decoded, (result as DecodeResult.Refused)?.Detail);
        return (DecodeResult.Decoded)result;
    }

    private static byte[] Encode(string kind = "jpeg")
    {
        using var image = Image.Vips();
        using var grey = image.Colourspace(Enums.Interpretation.Bw);
        return kind switch
        {
            "grey" => grey.JpegsaveBuffer(),
            "progressive" => image.JpegsaveBuffer(interlace: true),
            "restarts" => image.JpegsaveBuffer(restartInterval: 3),
            "three scans" => JpegFile.Join(JpegFile.ThreeScans(Image)),
            _ => image.JpegsaveBuffer(),
        };
    }
}
