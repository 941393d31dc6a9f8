using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace PaDiM.TestSupport;

/// <summary>A float32 array of two dimensions from a NumPy file of version 1.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Values">Shape <c>(Height, Width)</c>, row-major.</param>
public sealed partial record NumpyArray(int Height, int Width, float[] Values)
{
    /// <summary>Reads a file, which must follow the format to the byte.</summary>
    public static NumpyArray Parse(byte[] file)
    {
        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0], file[..8]);
        var length = BitConverter.ToUInt16(file, 8);
        Assert.Equal(0, (10 + length) % 64);
        var header = Encoding.ASCII.GetString(file, 10, length);
        var match = Header().Match(header);
        Assert.True(match.Success, header);
        var array = new NumpyArray(
            int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
            int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture),
            MemoryMarshal.Cast<byte, float>(file.AsSpan(10 + length)).ToArray()
        );
        Assert.Equal(array.Height * array.Width, array.Values.Length);
        return array;
    }

    /// <summary>Writes any data behind any header, valid or not.</summary>
    public static void Write(string path, string header, byte[] data, byte major = 1)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, header.Length + 1);
        File.WriteAllBytes(
            path,
            [
                0x93,
                .. "NUMPY"u8,
                major,
                0,
                .. size[..(major == 1 ? 2 : 4)],
                .. Encoding.Latin1.GetBytes(header),
                (byte)'\n',
                .. data,
            ]
        );
    }

    [GeneratedRegex(@"^\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n\z")]
    private static partial Regex Header();
}
