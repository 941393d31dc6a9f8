using System.Buffers.Binary;
using FsCheck.Xunit;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Tests.Support;

namespace PaDiM.Imaging.Tests.Decoding;

public sealed class BmpReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Bitmaps_of_any_size_and_order_of_rows_equal_a_slow_reading(int bits)
    {
        for (var seed = 0; seed < 60; seed++)
            Check(
                new ReferenceBmp
                {
                    Width = 1 + seed % 19,
                    Height = 1 + seed % 7,
                    Bits = bits,
                    TopDown = seed % 2 == 0,
                    HeaderSize = seed % 3 == 0 ? 124 : 40,
                    Gap = seed % 5,
                },
                seed
            );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(24)]
    public void The_old_header_of_os2_is_read(int bits) =>
        Check(
            new ReferenceBmp
            {
                Width = 13,
                Height = 5,
                Bits = bits,
                Old = true,
            },
            bits
        );

    [Theory]
    [InlineData(16, 40, 0xF800u, 0x07E0u, 0x001Fu)]
    [InlineData(16, 56, 0x0F00u, 0x00F0u, 0x000Fu)]
    [InlineData(32, 40, 0x000000FFu, 0x0000FF00u, 0x00FF0000u)]
    [InlineData(32, 108, 0xFF000000u, 0x00FF0000u, 0x0000FF00u)]
    [InlineData(32, 124, 0x3FF00000u, 0x000FFC00u, 0x000003FFu)]
    public void Bit_masks_choose_the_channels(int bits, int header, uint red, uint green, uint blue) =>
        Check(
            new ReferenceBmp
            {
                Width = 11,
                Height = 4,
                Bits = bits,
                HeaderSize = header,
                Masks = [red, green, blue],
            },
            bits
        );

    [Fact]
    public void A_palette_may_be_shorter_than_its_bits_allow() =>
        Check(
            new ReferenceBmp
            {
                Width = 9,
                Height = 3,
                Bits = 8,
                PaletteSize = 17,
            },
            3
        );

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(24)]
    public void A_file_cut_short_anywhere_is_refused(int bits)
    {
        var (file, _) = new ReferenceBmp
        {
            Width = 7,
            Height = 5,
            Bits = bits,
        }.Make(1);
        for (var length = 0; length < file.Length; length++)
            Assert.Throws<InvalidDataException>(() => Read(file[..length]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(24)]
    public void Padding_of_the_last_row_may_be_missing_if_the_length_says_so(int bits)
    {
        var (file, expected) = new ReferenceBmp
        {
            Width = 7,
            Height = 5,
            Bits = bits,
        }.Make(1);
        var padding = (7 * bits + 31) / 32 * 4 - (7 * bits + 7) / 8;
        for (var missing = 1; missing <= padding; missing++)
        {
            var shorter = file[..^missing];
            Assert.Throws<InvalidDataException>(() => Read(shorter));
            BinaryPrimitives.WriteInt32LittleEndian(shorter.AsSpan(2), shorter.Length);
            Assert.Equal(expected.Pixels, Read(shorter).Pixels);
        }
        var tooShort = file[..^(padding + 1)];
        BinaryPrimitives.WriteInt32LittleEndian(tooShort.AsSpan(2), tooShort.Length);
        Assert.Throws<InvalidDataException>(() => Read(tooShort));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(32)]
    public void Pixels_without_an_offset_follow_the_headers(int bits)
    {
        var (file, expected) = new ReferenceBmp
        {
            Width = 7,
            Height = 5,
            Bits = bits,
            Masks = bits == 32 ? [0xFF00, 0xFF0000, 0xFF] : null,
        }.Make(1);
        file.AsSpan(10, 4).Clear();
        Assert.Equal(expected.Pixels, Read(file).Pixels);
    }

    [Theory]
    [InlineData(8, 2)]
    [InlineData(4, 1)]
    [InlineData(24, 1)]
    [InlineData(24, 4)]
    [InlineData(24, 5)]
    [InlineData(24, 3)]
    public void Compressed_bitmaps_are_refused_with_advice(int bits, int compression)
    {
        var (file, _) = new ReferenceBmp
        {
            Width = 7,
            Height = 5,
            Bits = bits,
        }.Make(1);
        file[30] = (byte)compression;
        Assert.Contains(
            "uncompressed or as PNG",
            Assert.Throws<InvalidDataException>(() => Read(file)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(0u, 0xFF00u, 0xFFu)]
    [InlineData(0xFF00FFu, 0xFF00u, 0xFFu)]
    [InlineData(0xFFFFFF00u, 0xFF00u, 0xFFu)]
    public void Masks_that_make_no_sense_are_refused(uint red, uint green, uint blue)
    {
        var (file, _) = new ReferenceBmp
        {
            Width = 7,
            Height = 5,
            Bits = 32,
            Masks = [0xFF0000, 0xFF00, 0xFF],
        }.Make(1);
        foreach (var (mask, at) in new[] { (red, 54), (green, 58), (blue, 62) })
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), mask);
        Assert.Throws<InvalidDataException>(() => Read(file));
    }

    [Theory]
    [InlineData(int.MaxValue, int.MaxValue, 32)]
    [InlineData(int.MaxValue, -int.MaxValue, 24)]
    [InlineData(int.MaxValue, 1, 1)]
    [InlineData(1, int.MinValue, 24)]
    [InlineData(-5, 5, 24)]
    [InlineData(0, 5, 24)]
    [InlineData(5, 0, 24)]
    [InlineData(0x40000000, 0x40000000, 32)]
    public void A_size_beyond_the_file_is_refused_before_anything_is_allocated(int width, int height, int bits)
    {
        var (file, _) = new ReferenceBmp
        {
            Width = 7,
            Height = 5,
            Bits = bits,
        }.Make(1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(22), height);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => Read(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Property(MaxTest = 1000)]
    public void Random_bytes_are_refused_or_read_but_never_anything_else(
        byte[] bytes,
        byte bits,
        byte headerSize,
        byte compression
    )
    {
        byte[] file = [.. "BM"u8, .. new byte[12], headerSize, 0, 0, 0, .. bytes, .. new byte[60]];
        if (bits % 2 == 0)
        {
            file[10] = 54;
            file[14] = 40;
            file[28] = (byte)(bits % 5 * 8);
            file[30] = (byte)(compression % 7);
            file[20] = 0;
            file[21] = 0;
            file[24] = 0;
            file[25] = 0;
        }
        try
        {
            Read(file);
        }
        catch (InvalidDataException) { }
    }

    private static RgbImage Read(byte[] file) => BmpReader.ReadHeader(file).Decode(file);

    private static void Check(ReferenceBmp bitmap, int seed)
    {
        var (file, expected) = bitmap.Make(seed);
        var actual = Read(file);
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        Assert.Equal(expected.Pixels, actual.Pixels);
    }
}
