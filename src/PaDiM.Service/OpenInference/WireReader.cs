namespace PaDiM.Service.OpenInference;

/// <summary>Reads the fields of a protobuf message, without objects.</summary>
/// <param name="message">The bytes that the message is part of.</param>
/// <param name="range">Where it is.</param>
internal ref struct WireReader(ReadOnlySpan<byte> message, (int Start, int Length) range)
{
    private const int Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
        MaxVarintBits = 63;

    private readonly ReadOnlySpan<byte> _message = message;
    private readonly int _end = range.Start + range.Length;
    private int _at = range.Start;

    /// <summary>Gets the number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Gets the value of the current field, if it is a number.</summary>
    public ulong Number { get; private set; }

    /// <summary>Gets where the content of the current field is; null for a number.</summary>
    public (int Start, int Length)? Content { get; private set; }

    /// <summary>Gets where the next field begins.</summary>
    public readonly int Position => _at;

    /// <summary>Moves to the next field; false at the end.</summary>
    /// <exception cref="InvalidDataException">This is no message.</exception>
    public bool Read()
    {
        if (_at == _end)
            return false;
        var tag = ReadVarint();
        Field = (int)Math.Min(tag >> 3, int.MaxValue);
        Content = null;
        Number = 0;
        switch ((int)(tag & 7))
        {
            case Varint:
                Number = ReadVarint();
                break;
            case Fixed64:
                Skip(sizeof(ulong));
                break;
            case Fixed32:
                Skip(sizeof(uint));
                break;
            case Bytes:
                var length = ReadVarint();
                var start = _at;
                Skip(length);
                Content = (start, (int)length);
                break;
            default:
                throw new InvalidDataException();
        }
        return true;
    }

    /// <summary>Reads a number that is packed with others, behind the end of the last one; false at the end.</summary>
    /// <exception cref="InvalidDataException">This is no number.</exception>
    public bool ReadPacked()
    {
        if (_at == _end)
            return false;
        Number = ReadVarint();
        return true;
    }

    private ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift <= MaxVarintBits; shift += 7)
        {
            if (_at == _end)
                break;
            var next = _message[_at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException();
    }

    private void Skip(ulong bytes)
    {
        if (bytes > (ulong)(_end - _at))
            throw new InvalidDataException();
        _at += (int)bytes;
    }
}
