using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Persistence;

/// <summary>
/// Reads and writes NumPy's <c>.npy</c> format. Masks and labels of versions 1.0 to 3.0 are read one frame at a time.
/// The file may be hostile: the header is bounded, and the shape is checked against the length of the file before
/// anything is allocated.
/// </summary>
public sealed partial class NumpyFile
{
    /// <summary>The media type of the format.</summary>
    public const string MediaType = "application/x-npy";

    /// <summary>The data starts at a multiple of this, as the format asks for.</summary>
    private const int Alignment = 64;

    /// <summary>Bytes before the header of version 1.0: magic, version and the header's length.</summary>
    private const int PrefixLength = 10;

    private const int MaxHeaderBytes = 1 << 16,
        MaxAxes = 3,
        MaxFrameValues = 1 << 26;

    private readonly string _path;
    private readonly long _start;
    private readonly string _type;

    private NumpyFile(string path, long start, string type, IReadOnlyList<int> shape)
    {
        _path = path;
        _start = start;
        _type = type;
        Shape = shape;
    }

    /// <summary>Gets the extents, outermost first; one to three, each at least 1.</summary>
    public IReadOnlyList<int> Shape { get; }

    private int FrameValues => Shape.Skip(1).Aggregate(1, (product, extent) => product * extent);

    private int ValueBytes => _type[^1] - '0';

    /// <summary>Writes a float32 array of two dimensions: version 1.0, little-endian, C order.</summary>
    /// <param name="map">Shape <c>(height, width)</c>.</param>
    public static byte[] Encode(AnomalyMap map)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({map.Grid.Height}, {map.Grid.Width}), }}";
        // Spaces and a line feed fill the header up to the alignment.
        var padded = (PrefixLength + header.Length + 1 + Alignment - 1) / Alignment * Alignment - PrefixLength;
        var text = header.PadRight(padded - 1) + "\n";
        return
        [
            0x93,
            .. "NUMPY"u8,
            1,
            0,
            (byte)padded,
            (byte)(padded >> 8),
            .. Encoding.ASCII.GetBytes(text),
            .. MemoryMarshal.AsBytes(map.Values.AsSpan()),
        ];
    }

    /// <summary>Opens a file and reads its header.</summary>
    /// <exception cref="InvalidDataException">The file is not in the format, damaged, or of an unsupported
    /// kind.</exception>
    public static NumpyFile Open(string path)
    {
        using var stream = File.OpenRead(path);
        try
        {
            return Open(path, stream);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidDataException($"{path} ends within its NPY header.");
        }
    }

    /// <summary>Reads for each value of a frame whether it is above 0.</summary>
    /// <param name="frame">Index along the outermost axis.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such frame.</exception>
    /// <exception cref="InvalidDataException">The file was truncated since it was opened.</exception>
    public bool[] ReadPositive(int frame)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frame);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, Shape[0]);
        var bytes = new byte[FrameValues * ValueBytes];
        using var file = File.OpenHandle(_path);
        for (var at = 0; at < bytes.Length; )
        {
            var read = RandomAccess.Read(file, bytes.AsSpan(at), _start + (long)frame * bytes.Length + at);
            if (read == 0)
                throw new InvalidDataException($"{_path} was truncated while it was read.");
            at += read;
        }
        return Positive(bytes);
    }

    private bool[] Positive(byte[] bytes) =>
        _type switch
        {
            "b1" or "u1" => Above<byte>(bytes, 0),
            "i1" => Above<sbyte>(bytes, 0),
            "i2" => Above<short>(bytes, 0),
            "i4" => Above<int>(bytes, 0),
            "i8" => Above<long>(bytes, 0),
            "f4" => Above<float>(bytes, 0),
            _ => Above<double>(bytes, 0),
        };

    private static bool[] Above<T>(byte[] bytes, T zero)
        where T : unmanaged, IComparable<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes);
        var positive = new bool[values.Length];
        for (var i = 0; i < positive.Length; i++)
            positive[i] = values[i].CompareTo(zero) > 0;
        return positive;
    }

    private static NumpyFile Open(string path, FileStream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        if (prefix[0] != 0x93 || !prefix[1..6].SequenceEqual("NUMPY"u8))
            throw new InvalidDataException($"{path} is not an NPY file.");
        var header = ReadHeader(path, stream, prefix[6], prefix[7]);
        var match = Header().Match(header);
        if (!match.Success)
            throw new InvalidDataException(
                $"The header of {path} is not supported: values must be bool, integers or floats in little-endian "
                    + "order."
            );
        if (match.Groups["order"].ValueSpan is "True")
            throw new InvalidDataException($"{path} is in Fortran order; save it with numpy.ascontiguousarray.");
        var file = new NumpyFile(
            path,
            stream.Position,
            match.Groups["type"].Value,
            ParseShape(path, match.Groups["shape"].Value)
        );
        var expected = (long)file.Shape[0] * file.FrameValues * file.ValueBytes;
        return stream.Length - stream.Position == expected
            ? file
            : throw new InvalidDataException(
                $"{path} should have {expected} bytes after its header, but has {stream.Length - stream.Position}."
            );
    }

    private static string ReadHeader(string path, FileStream stream, byte major, byte minor)
    {
        if (major is < 1 or > 3 || minor != 0)
            throw new InvalidDataException($"{path} has NPY version {major}.{minor}; supported are 1.0 to 3.0.");
        Span<byte> size = stackalloc byte[4];
        size.Clear();
        stream.ReadExactly(size[..(major == 1 ? 2 : 4)]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (length > MaxHeaderBytes)
            throw new InvalidDataException(
                $"The header of {path} claims {length} bytes; at most {MaxHeaderBytes} are supported."
            );
        var header = new byte[length];
        stream.ReadExactly(header);
        return Encoding.Latin1.GetString(header);
    }

    private static int[] ParseShape(string path, string text)
    {
        var extents = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // Python 2 writes long integers with a trailing L.
        int[] shape =
        [
            .. extents.Select(extent =>
                int.TryParse(extent.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                    ? value
                    : -1
            ),
        ];
        var frame = shape
            .Skip(1)
            .Aggregate(1L, (product, extent) => product > MaxFrameValues ? product : product * extent);
        return shape.Length is >= 1 and <= MaxAxes && shape.All(extent => extent >= 1) && frame <= MaxFrameValues
            ? shape
            : throw new InvalidDataException(
                $"{path} has the shape ({string.Join(", ", extents.Take(MaxAxes + 1))}); supported are one to "
                    + $"{MaxAxes} axes, none of them empty, and frames with at most {MaxFrameValues} values."
            );
    }

    [GeneratedRegex(
        @"\A\{\s*'descr':\s*'(?:\|(?<type>[bui]1)|<(?<type>i2|i4|i8|f4|f8))',\s*"
            + @"'fortran_order':\s*(?<order>True|False),\s*'shape':\s*\((?<shape>[0-9L, ]*)\),?\s*\}\s*\z"
    )]
    private static partial Regex Header();
}
