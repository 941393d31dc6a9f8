using System.Buffers.Binary;

namespace PaDiM.Fuzz;

/// <summary>
/// Creates almost valid files: a file of the corpus with a few faults. The same seed gives the same files.
/// </summary>
internal sealed class Mutator(byte[][] corpus, Random random)
{
    /// <summary>Numbers at the bounds of integer types, where parsers tend to fail.</summary>
    private static readonly long[] BoundaryValues =
    [
        0,
        1,
        -1,
        2,
        7,
        8,
        127,
        128,
        255,
        256,
        32767,
        32768,
        65535,
        65536,
        int.MaxValue,
        int.MinValue,
        uint.MaxValue,
        long.MaxValue,
    ];

    /// <summary>The bytes in which formats keep their headers.</summary>
    private const int HeaderBytes = 256;

    /// <summary>Creates the next file.</summary>
    public byte[] Next()
    {
        var bytes = PickFile().ToArray();
        for (var faults = 1 + random.Next(6); faults > 0 && bytes.Length > 0; faults--)
            bytes = Damage(bytes);
        return bytes;
    }

    private byte[] PickFile() => corpus[random.Next(corpus.Length)];

    private byte[] Damage(byte[] bytes)
    {
        var at = random.Next(random.Next(2) == 0 ? Math.Min(HeaderBytes, bytes.Length) : bytes.Length);
        var length = random.Next(1, 1 + Math.Min(bytes.Length - at, 1 << random.Next(12)));
        switch (random.Next(9))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                return Write(bytes, at, BoundaryValues[random.Next(BoundaryValues.Length)]);
            case 3:
                return Write(bytes, at, bytes.Length + random.Next(-20, 20));
            case 4:
                random.NextBytes(bytes.AsSpan(at, length));
                return bytes;
            case 5:
                return bytes[..at];
            case 6:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 7:
                // Repeats a piece.
                return
                [
                    .. bytes[..at],
                    .. Enumerable.Repeat(bytes[at..(at + length)], random.Next(2, 40)).SelectMany(piece => piece),
                    .. bytes[at..],
                ];
            default:
                // Appends the end of another file.
                var other = PickFile();
                return
                [
                    .. bytes[..at],
                    .. other[Math.Min(random.Next(2) == 0 ? at : random.Next(other.Length), other.Length)..],
                ];
        }
    }

    /// <summary>Writes a number in one of the encodings that formats use for lengths, sizes and offsets.</summary>
    private byte[] Write(byte[] bytes, int at, long number)
    {
        Span<byte> eight = stackalloc byte[8];
        var big = random.Next(2) == 0;
        if (big)
            BinaryPrimitives.WriteInt64BigEndian(eight, number);
        else
            BinaryPrimitives.WriteInt64LittleEndian(eight, number);
        var width = Math.Min(1 << random.Next(1, 4), bytes.Length - at);
        (big ? eight[^width..] : eight[..width]).CopyTo(bytes.AsSpan(at));
        return bytes;
    }
}
