using System.Buffers.Binary;

namespace PaDiM.TestSupport.Parts;

/// <summary>Uncompressed 8-bit RGB.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Pixels">Shape <c>(Height, Width, 3)</c>, row-major, top row first.</param>
public sealed record RgbImage(int Width, int Height, byte[] Pixels)
{
    private const int HeaderBytes = 54;

    /// <summary>The image as a 24-bit BMP file: bottom row first, blue before red, rows padded to four bytes.</summary>
    public byte[] ToBmp()
    {
        var stride = (3 * Width + 3) / 4 * 4;
        var file = new byte[HeaderBytes + stride * Height];
        file[0] = (byte)'B';
        file[1] = (byte)'M';
        Put(2, file.Length);
        Put(10, HeaderBytes);
        Put(14, 40);
        Put(18, Width);
        Put(22, Height);
        Put(26, 1 | 24 << 16);
        Put(34, stride * Height);
        Put(38, 2835);
        Put(42, 2835);
        for (var y = 0; y < Height; y++)
        for (var x = 0; x < Width; x++)
        {
            var from = 3 * (y * Width + x);
            var to = HeaderBytes + (Height - 1 - y) * stride + 3 * x;
            file[to] = Pixels[from + 2];
            file[to + 1] = Pixels[from + 1];
            file[to + 2] = Pixels[from];
        }
        return file;

        void Put(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
    }
}
