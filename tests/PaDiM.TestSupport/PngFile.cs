using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace PaDiM.TestSupport;

/// <summary>PNG files chunk by chunk, to make such as no encoder writes.</summary>
public static class PngFile
{
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>A grey image of zeros, of which only so many rows are there.</summary>
    public static byte[] Grey(uint width, uint height, byte bits, long rows, params byte[][] before)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        header[8] = bits;
        return
        [
            .. Signature,
            .. Chunk("IHDR", header),
            .. before.SelectMany(chunk => chunk),
            .. Chunk("IDAT", Zeros(rows * (1 + ((long)width * bits + 7) / 8))),
            .. Chunk("IEND", []),
        ];
    }

    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[named.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        named.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(named.Length + 4), Crc(named));
        return chunk;
    }

    /// <summary>Zeros under zlib: a thousandth of their length.</summary>
    public static byte[] Zeros(long count)
    {
        var buffer = new MemoryStream();
        using (var zlib = new ZLibStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            var block = new byte[1 << 16];
            for (; count > 0; count -= block.Length)
                zlib.Write(block, 0, (int)Math.Min(block.Length, count));
        }
        return buffer.ToArray();
    }

    private static uint Crc(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var k = 0; k < 8; k++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
        }
        return ~crc;
    }
}
