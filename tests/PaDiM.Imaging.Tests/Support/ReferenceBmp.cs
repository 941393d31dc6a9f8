namespace PaDiM.Imaging.Tests.Support;

/// <summary>A bitmap written bit by bit, and the pixels that it must have: slow and obvious.</summary>
internal sealed class ReferenceBmp
{
    public required int Width { get; init; }

    public required int Height { get; init; }

    public required int Bits { get; init; }

    public bool TopDown { get; init; }

    /// <summary>The 12-byte header of OS/2 1.x.</summary>
    public bool Old { get; init; }

    /// <summary>Length of the header otherwise: 40, 56, 108 or 124.</summary>
    public int HeaderSize { get; init; } = 40;

    /// <summary>Masks of red, green and blue; null for none in the file.</summary>
    public uint[]? Masks { get; init; }

    /// <summary>Colours in the palette, of <c>2^Bits</c>.</summary>
    public int? PaletteSize { get; init; }

    /// <summary>Bytes between the headers and the pixels.</summary>
    public int Gap { get; init; }

    public (byte[] File, RgbImage Image) Make(int seed)
    {
        var random = new Random(seed);
        var colours = Bits <= 8 ? PaletteSize ?? 1 << Bits : 0;
        var palette = new byte[colours, 3];
        for (var i = 0; i < colours; i++)
        {
            palette[i, 0] = (byte)random.Next(256);
            palette[i, 1] = (byte)random.Next(256);
            palette[i, 2] = (byte)random.Next(256);
        }

        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        var headers =
            14 + (Old ? 12 : HeaderSize) + colours * (Old ? 3 : 4) + (Masks is not null && HeaderSize == 40 ? 12 : 0);
        writer.Write("BM"u8);
        writer.Write(0);
        writer.Write(0);
        writer.Write(headers + Gap);
        if (Old)
            WriteOldHeader(writer);
        else
            WriteHeader(writer);
        for (var i = 0; i < colours; i++)
        {
            writer.Write(palette[i, 2]);
            writer.Write(palette[i, 1]);
            writer.Write(palette[i, 0]);
            if (!Old)
                writer.Write((byte)random.Next(256));
        }
        writer.Write(new byte[Gap]);

        var pixels = new byte[Width * Height * 3];
        for (var row = 0; row < Height; row++)
        {
            var y = TopDown ? row : Height - 1 - row;
            var bits = new List<bool>();
            for (var x = 0; x < Width; x++)
            {
                var value = Bits <= 8 ? (uint)random.Next(colours) : (uint)random.NextInt64(1L << Bits);
                // Bytes of a pixel come lowest first, bits within a byte highest first.
                if (Bits <= 8)
                    for (var b = Bits - 1; b >= 0; b--)
                        bits.Add((value >> b & 1) != 0);
                else
                    for (var i = 0; i < Bits / 8; i++)
                    for (var b = 7; b >= 0; b--)
                        bits.Add((value >> (8 * i + b) & 1) != 0);
                for (var c = 0; c < 3; c++)
                    pixels[3 * (y * Width + x) + c] = Bits <= 8 ? palette[value, c] : Channel(value, c);
            }
            while (bits.Count % 32 != 0)
                bits.Add(false);
            for (var i = 0; i < bits.Count; i += 8)
                writer.Write((byte)Enumerable.Range(0, 8).Sum(b => bits[i + b] ? 128 >> b : 0));
        }
        writer.Seek(2, SeekOrigin.Begin);
        writer.Write((int)file.Length);
        return (file.ToArray(), new RgbImage(Width, Height, pixels));
    }

    private byte Channel(uint value, int channel)
    {
        uint[] masks = Masks ?? (Bits == 16 ? [0x7C00, 0x03E0, 0x001F] : [0xFF0000, 0x00FF00, 0x0000FF]);
        var sample = 0;
        var most = 0;
        for (var bit = 31; bit >= 0; bit--)
        {
            if ((masks[channel] >> bit & 1) == 0)
                continue;
            sample = 2 * sample + (int)(value >> bit & 1);
            most = 2 * most + 1;
        }
        return (byte)(sample * 255L / most);
    }

    private void WriteOldHeader(BinaryWriter writer)
    {
        writer.Write(12);
        writer.Write((ushort)Width);
        writer.Write((ushort)Height);
        writer.Write((ushort)1);
        writer.Write((ushort)Bits);
    }

    private void WriteHeader(BinaryWriter writer)
    {
        writer.Write(HeaderSize);
        writer.Write(Width);
        writer.Write(TopDown ? -Height : Height);
        writer.Write((ushort)1);
        writer.Write((ushort)Bits);
        writer.Write(Masks is null ? 0 : 3);
        writer.Write(0);
        writer.Write(2835);
        writer.Write(2835);
        writer.Write(PaletteSize ?? 0);
        writer.Write(0);
        foreach (var mask in Masks ?? (HeaderSize > 40 ? [0, 0, 0] : []))
            writer.Write(mask);
        writer.Write(new byte[Math.Max(0, HeaderSize - 52)]);
    }
}
