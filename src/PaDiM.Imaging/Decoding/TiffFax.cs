namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Unpacks the codes of ITU-T T.4 and T.6: rows of one bit per pixel, 0 for white. Every row must have exactly its
/// pixels: readers of faxes fill up what is missing, which here would be pixels that no camera took.
/// </summary>
internal ref struct TiffFax
{
    private const int MaxCodeLength = 13,
        EndOfLineZeros = 11,
        TwoDimensional = 1;

    /// <summary>Codes of runs of 0 to 63 pixels.</summary>
    private const string WhiteRuns =
            "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 "
            + "101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 "
            + "00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 "
            + "00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011 "
            + "01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 "
            + "00110011 00110100",
        BlackRuns =
            "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 "
            + "000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 "
            + "00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 "
            + "000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 "
            + "000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 "
            + "000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 "
            + "000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111";

    /// <summary>Codes of runs of 64, 128, ... pixels, which another code follows.</summary>
    private const string LongWhiteRuns =
            "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 "
            + "011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 "
            + "010011000 010011001 010011010 011000 010011011",
        LongBlackRuns =
            "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 "
            + "0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 "
            + "0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 "
            + "0000001010101 0000001011010 0000001011011 0000001100100 0000001100101",
        LongestRuns =
            "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 "
            + "000000010111 000000011100 000000011101 000000011110 000000011111";

    private static readonly (short Run, byte Length)[] White = CreateTable(WhiteRuns, $"{LongWhiteRuns} {LongestRuns}");

    private static readonly (short Run, byte Length)[] Black = CreateTable(BlackRuns, $"{LongBlackRuns} {LongestRuns}");

    private readonly ReadOnlySpan<byte> _packed;
    private readonly int _width;
    private long _at;

    /// <summary>
    /// Columns at which the colour changes, of the row above and of this one, with the width at the end.
    /// </summary>
    private List<int> _above = [],
        _changes = [];

    private TiffFax(ReadOnlySpan<byte> packed, int width)
    {
        _packed = packed;
        _width = width;
    }

    /// <summary>Unpacks a strip or tile.</summary>
    /// <param name="packed">The codes.</param>
    /// <param name="unpacked">Rows, each of whole bytes.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="compression">One of the three kinds.</param>
    /// <param name="options">The options of group 3.</param>
    /// <exception cref="InvalidDataException">The data is damaged, or ends too early.</exception>
    public static void Unpack(
        ReadOnlySpan<byte> packed,
        Span<byte> unpacked,
        int width,
        int rows,
        TiffCompression compression,
        long options
    )
    {
        var fax = new TiffFax(packed, width);
        var rowBytes = unpacked.Length / rows;
        unpacked.Clear();
        for (var y = 0; y < rows; y++)
        {
            (fax._above, fax._changes) = (fax._changes, fax._above);
            fax._changes.Clear();
            if (compression == TiffCompression.FaxGroup4 || !fax.BeginsRow(compression, options))
                fax.ReadByRowAbove();
            else
                fax.ReadRow();
            Paint(fax._changes, unpacked.Slice(y * rowBytes, rowBytes), width);
        }
    }

    /// <summary>Goes to the codes of the next row, and gets whether they stand for themselves.</summary>
    private bool BeginsRow(TiffCompression compression, long options)
    {
        if (compression == TiffCompression.FaxRows)
        {
            _at = (_at + 7) / 8 * 8;
            return true;
        }
        var isMixed = (options & TwoDimensional) != 0;
        var zeros = 0;
        while (_at + zeros < _packed.Length * 8L && Peek(zeros, 1) == 0)
            zeros++;
        if (zeros < EndOfLineZeros)
            return !isMixed ? true : throw Damaged();
        _at += zeros + 1;
        return !isMixed || Take(1) == 1;
    }

    private void ReadRow()
    {
        for (var (column, isBlack) = (0, false); column < _width; isBlack = !isBlack)
            column = Change(column + ReadRun(isBlack));
    }

    /// <summary>Reads a row of which most changes are told by their distance from one in the row above.</summary>
    private void ReadByRowAbove()
    {
        var column = -1;
        var isBlack = false;
        var next = 0;
        while (column < _width)
        {
            // The first change above to the right of this column, towards the other colour.
            while (next > 0 && GetAbove(next - 1) > column)
                next--;
            while (next < _above.Count && (GetAbove(next) <= column || next % 2 == 1 != isBlack))
                next++;
            var above = GetAbove(next);
            if (Take(1) == 1)
                column = Change(above);
            else
                switch (Take(2))
                {
                    case 0b11:
                        column = Change(above + 1);
                        break;
                    case 0b10:
                        column = Change(above - 1);
                        break;
                    case 0b01:
                        column = Change(Math.Max(column, 0) + ReadRun(isBlack));
                        column = Change(column + ReadRun(!isBlack));
                        continue;
                    default:
                        if (Take(1) == 1)
                        {
                            column = GetAbove(next + 1);
                            continue;
                        }
                        column = Change(above + ReadFarOffset());
                        break;
                }
            isBlack = !isBlack;
        }
    }

    private int ReadFarOffset() =>
        Take(2) switch
        {
            0b11 => 2,
            0b10 => -2,
            0b01 => Take(1) == 1 ? 3 : -3,
            _ => throw Damaged(),
        };

    private int GetAbove(int index) => index < _above.Count ? _above[index] : _width;

    private int Change(int column)
    {
        if (column > _width || column < (_changes.Count > 0 ? _changes[^1] : 0))
            throw Damaged();
        _changes.Add(column);
        return column;
    }

    private int ReadRun(bool isBlack)
    {
        const int shortestLong = 64;
        for (var total = 0; total <= _width; )
        {
            var (run, length) = (isBlack ? Black : White)[Peek(0, MaxCodeLength)];
            if (length == 0)
                throw Damaged();
            Take(length);
            total += run;
            if (run < shortestLong)
                return total;
        }
        throw Damaged();
    }

    private int Take(int bits)
    {
        if (_at + bits > _packed.Length * 8L)
            throw new InvalidDataException("a strip or tile ends too early");
        var value = Peek(0, bits);
        _at += bits;
        return value;
    }

    /// <summary>Gets bits that follow; zeros behind the end.</summary>
    private readonly int Peek(long skip, int bits)
    {
        var at = _at + skip;
        var value = 0;
        for (var i = 0; i < 3; i++)
            value = value << 8 | (at / 8 + i < _packed.Length ? _packed[(int)(at / 8 + i)] : 0);
        return value >> 24 - (int)(at % 8) - bits & (1 << bits) - 1;
    }

    private static void Paint(List<int> changes, Span<byte> row, int width)
    {
        for (var i = 0; i < changes.Count; i += 2)
        for (int x = changes[i], end = i + 1 < changes.Count ? changes[i + 1] : width; x < end; )
            if (x % 8 == 0 && end - x >= 8)
            {
                row[x / 8] = byte.MaxValue;
                x += 8;
            }
            else
            {
                row[x / 8] |= (byte)(128 >> x % 8);
                x++;
            }
    }

    private static InvalidDataException Damaged() => new("a strip or tile is damaged");

    /// <summary>Creates a table of all 13-bit beginnings, with the run and the length of the code of each.</summary>
    private static (short Run, byte Length)[] CreateTable(string runs, string longRuns)
    {
        var table = new (short, byte)[1 << MaxCodeLength];
        Add(runs, 0, 1);
        Add(longRuns, 64, 64);
        return table;

        void Add(string codes, int first, int step)
        {
            foreach (var (index, code) in codes.Split(' ').Index())
            {
                var free = MaxCodeLength - code.Length;
                var start = Convert.ToInt32(code, 2) << free;
                table.AsSpan(start, 1 << free).Fill(((short)(first + index * step), (byte)code.Length));
            }
        }
    }
}
