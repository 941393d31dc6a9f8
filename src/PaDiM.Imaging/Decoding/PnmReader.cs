using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Reads the portable maps that tools for machine vision write: PBM, PGM and PPM (P1 to P6), as text or binary, with up
/// to 16 bits per sample.
/// </summary>
internal sealed class PnmReader
{
    private const int MaxSample = ushort.MaxValue;

    private PnmReader() { }

    public int Width { get; private init; }

    public int Height { get; private init; }

    /// <summary>Gets whether samples have more than 8 bits.</summary>
    public bool IsDeep => Most > byte.MaxValue;

    private int Channels { get; init; }

    /// <summary>Gets the value of white.</summary>
    public uint Most { get; private init; }

    private bool IsText { get; init; }

    private bool IsBitmap { get; init; }

    private int PixelOffset { get; init; }

    /// <summary>Gets whether the bytes begin as such a file does.</summary>
    public static bool IsBeginning(ReadOnlySpan<byte> bytes) =>
        bytes is [(byte)'P', >= (byte)'1' and <= (byte)'6', var next, ..] && (IsSpace(next) || next == '#');

    /// <summary>Reads and checks the header; decodes no pixel.</summary>
    /// <exception cref="InvalidDataException">The header is damaged.</exception>
    public static PnmReader ReadHeader(ReadOnlySpan<byte> file)
    {
        var kind = file[1] - '0';
        var isBitmap = kind is 1 or 4;
        var at = 2;
        var width = ReadNumber(file, ref at, int.MaxValue);
        var height = ReadNumber(file, ref at, int.MaxValue);
        var most = isBitmap ? 1 : ReadNumber(file, ref at, MaxSample);
        if (width == 0 || height == 0 || most == 0)
            throw new InvalidDataException("its size or its largest value is 0");
        if (at >= file.Length || !IsSpace(file[at]))
            throw new InvalidDataException("the header is truncated");
        return new PnmReader
        {
            Width = width,
            Height = height,
            Channels = kind is 3 or 6 ? 3 : 1,
            Most = (uint)most,
            IsText = kind <= 3,
            IsBitmap = isBitmap,
            PixelOffset = at + 1,
        };
    }

    /// <summary>Decodes the pixels.</summary>
    /// <param name="file">The file.</param>
    /// <param name="clock">The time that is left.</param>
    /// <param name="scale">The scale of samples.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or ends before the last pixel.</exception>
    /// <exception cref="SampleRangeException">A sample is larger than the scale allows.</exception>
    public RgbImage Decode(ReadOnlySpan<byte> file, DecodeClock clock, SampleScale scale)
    {
        var count = Width * Channels;
        var rowBytes = IsBitmap ? (Width + 7) / 8 : count * (Most > byte.MaxValue ? 2L : 1);
        // Every sample of a text takes a digit at least.
        if (file.Length - PixelOffset < (IsText ? (long)count : rowBytes) * Height)
            throw new InvalidDataException("the pixels are truncated");
        var canvas = new PixelCanvas(Width, Height, 3, hasAlpha: false);
        var row = new byte[count];
        var at = PixelOffset;
        for (var y = 0; y < Height; y++)
        {
            clock.ThrowIfExpired();
            if (IsText)
                ReadText(file, ref at, row, scale);
            else
                ReadBinary(file.Slice(at, (int)rowBytes), row, scale);
            canvas.WriteRows(y, 1, row);
            at += IsText ? 0 : (int)rowBytes;
        }
        if (IsText && !IsBitmap && (at >= file.Length || !IsSpace(file[at])))
            throw new InvalidDataException("the last number is not followed by a space: it may be cut short");
        return new RgbImage(Width, Height, canvas.Samples);
    }

    private void ReadText(ReadOnlySpan<byte> file, ref int at, Span<byte> row, SampleScale scale)
    {
        uint largest = 0;
        for (var i = 0; i < row.Length; i++)
        {
            if (IsBitmap)
            {
                row[i] = ReadBit(file, ref at);
                continue;
            }
            var sample = (uint)ReadNumber(file, ref at, (int)Most);
            largest = Math.Max(largest, sample);
            row[i] = scale.ToEightBits(sample);
        }
        scale.Check(largest);
    }

    private void ReadBinary(ReadOnlySpan<byte> from, Span<byte> row, SampleScale scale)
    {
        if (IsBitmap)
            for (var x = 0; x < row.Length; x++)
                row[x] = (from[x / 8] << x % 8 & 0x80) != 0 ? (byte)0 : byte.MaxValue;
        else if (Most == byte.MaxValue)
            from.CopyTo(row);
        else
        {
            uint largest = 0;
            for (var i = 0; i < row.Length; i++)
            {
                uint sample = IsDeep ? BinaryPrimitives.ReadUInt16BigEndian(from[(2 * i)..]) : from[i];
                sample = Math.Min(sample, Most);
                largest = Math.Max(largest, sample);
                row[i] = scale.ToEightBits(sample);
            }
            scale.Check(largest);
        }
    }

    /// <summary>Reads a digit of a PBM, which need no space between them; 1 is black.</summary>
    private static byte ReadBit(ReadOnlySpan<byte> file, ref int at)
    {
        SkipSpace(file, ref at);
        return at < file.Length && file[at] is (byte)'0' or (byte)'1'
            ? file[at++] == '1'
                ? (byte)0
                : byte.MaxValue
            : throw new InvalidDataException("the pixels are truncated");
    }

    private static int ReadNumber(ReadOnlySpan<byte> file, ref int at, int most)
    {
        SkipSpace(file, ref at);
        var start = at;
        long number = 0;
        for (; at < file.Length && char.IsAsciiDigit((char)file[at]); at++)
            if ((number = 10 * number + file[at] - '0') > most)
                throw new InvalidDataException($"a number is above {most}");
        return at > start ? (int)number : throw new InvalidDataException("a number is missing");
    }

    private static void SkipSpace(ReadOnlySpan<byte> file, ref int at)
    {
        for (; at < file.Length && (IsSpace(file[at]) || file[at] == '#'); at++)
            if (file[at] == '#')
                while (at + 1 < file.Length && file[at + 1] is not ((byte)'\n' or (byte)'\r'))
                    at++;
    }

    private static bool IsSpace(byte character) =>
        character is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or 11 or 12;
}
