using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>A float32 array of two dimensions out of a file of NumPy, version 1.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Values">Shape <c>(Height, Width)</c>, row-major.</param>
public sealed partial record NumpyArray(int Height, int Width, float[] Values)
{
    public static NumpyArray Parse(byte[] file)
    {
        Assert.Equal("\u0093NUMPY\u0001\0", Encoding.Latin1.GetString(file, 0, 8));
        var headerEnd = 10 + BitConverter.ToUInt16(file, 8);
        var header = Header().Match(Encoding.Latin1.GetString(file, 10, headerEnd - 10));
        Assert.True(header.Success, "The array is not one of float32 with two dimensions in C order.");
        var values = MemoryMarshal.Cast<byte, float>(file.AsSpan(headerEnd)).ToArray();
        var array = new NumpyArray(
            int.Parse(header.Groups[1].ValueSpan),
            int.Parse(header.Groups[2].ValueSpan),
            values
        );
        Assert.Equal(array.Height * array.Width, values.Length);
        return array;
    }

    [GeneratedRegex(@"'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)")]
    private static partial Regex Header();
}
