using System.Buffers.Binary;
using System.Text;

namespace PaDiM.Backbones.Weights;

/// <summary>Bytes of a pickle, read from front to back.</summary>
/// <param name="bytes">One pickle or several one after the other.</param>
internal sealed class PickleInput(byte[] bytes)
{
    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>The one number that is written big end first.</summary>
    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A text; bytes that are not UTF-8 become replacement characters.</summary>
    public string Text(ulong length) => Encoding.UTF8.GetString(Take(length));

    /// <summary>A text up to the end of its line.</summary>
    public string Line()
    {
        var length = bytes.AsSpan(Position).IndexOf((byte)'\n');
        if (length < 0)
            throw Ends();
        var line = Text((ulong)length);
        Position++;
        return line;
    }

    /// <summary>The next bytes.</summary>
    /// <exception cref="InvalidDataException">There are fewer.</exception>
    public ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(bytes.Length - Position))
            throw Ends();
        var taken = bytes.AsSpan(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    private static InvalidDataException Ends() => new("The weights file is damaged: a pickle ends in the middle.");
}
