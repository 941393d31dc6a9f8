using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>
/// Reads masks and labels of the NPY format (versions 1.0 to 3.0), one frame at a time. A file may come from anywhere:
/// its header is bounded, and its shape is checked against its length before anything is allocated.
/// </summary>
internal sealed partial class NpyFile
{
    private const int MaxHeaderBytes = 1 << 16,
        MaxAxes = 3,
        MaxFrameValues = 1 << 26;

    private readonly string _path;
    private readonly long _start;
    private readonly string _type;

    private NpyFile(string path, long start, string type, IReadOnlyList<int> shape)
    {
        _path = path;
        _start = start;
        _type = type;
        Shape = shape;
    }

    /// <summary>Extents, outermost first; one to three.</summary>
    public IReadOnlyList<int> Shape { get; }

    private int FrameValues => Shape.Skip(1).Aggregate(1, (product, extent) => product * extent);

    private int ValueBytes => _type[^1] - '0';

    /// <summary>Reads a file's header.</summary>
    /// <exception cref="InvalidDataException">Not such a file, a damaged one, or one of a kind that is not
    /// read.</exception>
    public static NpyFile Open(string path)
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

    /// <summary>Of one frame (an index of the outermost axis), for each value whether it is above 0.</summary>
    /// <exception cref="InvalidDataException">The file has become shorter.</exception>
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
                throw new InvalidDataException($"{_path} has become shorter while it was read.");
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

    private static NpyFile Open(string path, FileStream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        if (prefix[0] != 0x93 || !prefix[1..6].SequenceEqual("NUMPY"u8))
            throw new InvalidDataException($"{path} is no NPY file.");
        var header = ReadHeader(path, stream, prefix[6], prefix[7]);
        var match = Header().Match(header);
        if (!match.Success)
            throw new InvalidDataException(
                $"The header of {path} is none that is read: values must be bool, integers or floats in little-endian order."
            );
        if (match.Groups["order"].ValueSpan is "True")
            throw new InvalidDataException($"{path} is in Fortran order; save it with numpy.ascontiguousarray.");
        var file = new NpyFile(
            path,
            stream.Position,
            match.Groups["type"].Value,
            ShapeOf(path, match.Groups["shape"].Value)
        );
        var expected = (long)file.Shape[0] * file.FrameValues * file.ValueBytes;
        return stream.Length - stream.Position == expected
            ? file
            : throw new InvalidDataException(
                $"{path} should hold {expected} bytes after its header, but holds {stream.Length - stream.Position}."
            );
    }

    private static string ReadHeader(string path, FileStream stream, byte major, byte minor)
    {
        if (major is < 1 or > 3 || minor != 0)
            throw new InvalidDataException($"{path} is of NPY version {major}.{minor}; 1.0 to 3.0 are read.");
        Span<byte> size = stackalloc byte[4];
        size.Clear();
        stream.ReadExactly(size[..(major == 1 ? 2 : 4)]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (length > MaxHeaderBytes)
            throw new InvalidDataException(
                $"The header of {path} is said to have {length} bytes; at most {MaxHeaderBytes} are read."
            );
        var header = new byte[length];
        stream.ReadExactly(header);
        return Encoding.Latin1.GetString(header);
    }

    private static int[] ShapeOf(string path, string text)
    {
        var extents = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // A long number of Python 2 ends in an L.
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
                $"{path} has the shape ({string.Join(", ", extents.Take(MaxAxes + 1))}); one to {MaxAxes} axes are read, none of them empty, and frames of at most {MaxFrameValues} values."
            );
    }

    [GeneratedRegex(
        @"\A\{\s*'descr':\s*'(?:\|(?<type>[bui]1)|<(?<type>i2|i4|i8|f4|f8))',\s*'fortran_order':\s*(?<order>True|False),\s*'shape':\s*\((?<shape>[0-9L, ]*)\),?\s*\}\s*\z"
    )]
    private static partial Regex Header();
}
