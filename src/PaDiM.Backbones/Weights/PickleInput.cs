using System.Buffers.Binary;
using System.Text;

namespace PaDiM.Backbones.Weights;

/// <summary>Reads the bytes of a pickle from start to end.</summary>
/// <param name="bytes">One or several pickles in a row.</param>
internal sealed class PickleInput(byte[] bytes)
{
    /// <summary>Gets the number of bytes read so far.</summary>
    public int Position { get; private set; }

    public byte ReadByte() => ReadBytes(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(ReadBytes(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(4));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(ReadBytes(8));

    /// <summary>Reads a double, the only number that pickles store in big-endian order.</summary>
    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(ReadBytes(8));

    /// <summary>Reads a text. Bytes that are not UTF-8 become replacement characters.</summary>
    public string ReadText(ulong length) => Encoding.UTF8.GetString(ReadBytes(length));

    /// <summary>Reads a text up to the end of its line.</summary>
    public string ReadLine()
    {
        var length = bytes.AsSpan(Position).IndexOf((byte)'\n');
        if (length < 0)
            throw UnexpectedEnd();
        var line = ReadText((ulong)length);
        Position++;
        return line;
    }

    /// <summary>Reads the next bytes.</summary>
    /// <exception cref="InvalidDataException">There are fewer bytes.</exception>
    public ReadOnlySpan<byte> ReadBytes(ulong count)
    {
        if (count > (ulong)(bytes.Length - Position))
            throw UnexpectedEnd();
        var taken = bytes.AsSpan(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    private static InvalidDataException UnexpectedEnd() => new("The weights file is damaged: a pickle ends too early.");
}
