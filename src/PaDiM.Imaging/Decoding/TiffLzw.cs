namespace PaDiM.Imaging.Decoding;

/// <summary>Unpacks LZW as TIFF has it. Every code stands for a piece of what was unpacked before.</summary>
internal static class TiffLzw
{
    private const int Clear = 256,
        End = 257,
        FirstCode = 258,
        MaxCodes = 4096,
        MinBits = 9,
        MaxBits = 12;

    /// <summary>Unpacks exactly as many bytes as the target has.</summary>
    /// <exception cref="InvalidDataException">The data is damaged, or ends too early.</exception>
    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> unpacked)
    {
        // Before TIFF 5.0 the lowest bit came first; such data begins with a Clear code in that order.
        var isOld = packed is [0, var second, ..] && (second & 1) != 0;
        Span<int> starts = stackalloc int[MaxCodes],
            lengths = stackalloc int[MaxCodes];
        var next = FirstCode;
        var bits = MinBits;
        var buffered = 0UL;
        var available = 0;
        var from = 0;
        var to = 0;
        int previousStart = 0,
            previousLength = 0;
        while (to < unpacked.Length)
        {
            for (; available < bits && from < packed.Length; available += 8)
                buffered = isOld ? buffered | (ulong)packed[from++] << available : buffered << 8 | packed[from++];
            if (available < bits)
                throw new InvalidDataException("a strip or tile ends too early");
            var code = (int)(isOld ? buffered : buffered >> available - bits) & (1 << bits) - 1;
            available -= bits;
            if (isOld)
                buffered >>= bits;
            if (code == End)
                throw new InvalidDataException("a strip or tile ends too early");
            if (code == Clear)
            {
                next = FirstCode;
                bits = MinBits;
                previousLength = 0;
                continue;
            }
            var start = to;
            if (code < Clear)
                unpacked[to++] = (byte)code;
            else
            {
                // A code that is only about to be made: the piece before, and its own first byte again.
                var isNext = code == next && previousLength > 0;
                if (code < FirstCode || (code >= next && !isNext))
                    throw new InvalidDataException("a strip or tile is damaged");
                var pieceStart = isNext ? previousStart : starts[code];
                var length = Math.Min(isNext ? previousLength + 1 : lengths[code], unpacked.Length - to);
                // Byte by byte: a piece may reach into itself.
                for (var i = 0; i < length; i++)
                    unpacked[to + i] = unpacked[pieceStart + i];
                to += length;
            }
            if (previousLength > 0 && next < MaxCodes)
            {
                starts[next] = previousStart;
                lengths[next++] = previousLength + 1;
                if (next + (isOld ? 0 : 1) == 1 << bits && bits < MaxBits)
                    bits++;
            }
            previousStart = start;
            previousLength = to - start;
        }
    }
}
