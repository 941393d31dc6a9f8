using System.Runtime.InteropServices;
using System.Text;
using PaDiM.Core.Scoring;

namespace PaDiM.Service.Scoring;

/// <summary>Writes NumPy's <c>.npy</c> format, version 1.0.</summary>
internal static class NumpyFormat
{
    public const string MediaType = "application/x-npy";
    private const int Alignment = 64,
        PrefixLength = 10;

    /// <summary>Encodes a map as a float32 array of shape (height, width), little-endian, in C order.</summary>
    public static byte[] Encode(AnomalyMap map)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({map.Grid.Height}, {map.Grid.Width}), }}";
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
}
