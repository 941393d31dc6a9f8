using System.Runtime.InteropServices;
using PaDiM.Core.Geometry;
using PaDiM.Core.Persistence;
using PaDiM.Core.Scoring;
using PaDiM.TestSupport;

namespace PaDiM.Core.Tests.Persistence;

public sealed class NumpyFileTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public static TheoryData<string, byte[]> Types =>
        new()
        {
            { "|b1", [0, 1, 1, 0, 0, 1] },
            { "|u1", [0, 1, 255, 0, 0, 7] },
            { "|i1", [0, 1, 127, 0, 255, 3] },
            { "<i2", Bytes<short>(0, 1, 300, 0, -1, 9) },
            { "<i4", Bytes(0, 1, 70000, 0, -1, 9) },
            { "<i8", Bytes<long>(0, 1, 1L << 40, 0, -1, 9) },
            { "<f4", Bytes(0f, 0.5f, 2, float.NaN, -1, 9) },
            { "<f8", Bytes(0, 0.5, 2, double.NaN, -1, 9) },
        };

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(12345, 2)]
    public void A_written_map_can_be_read(int height, int width)
    {
        var values = Enumerable.Range(0, height * width).Select(i => i / 2f).ToArray();
        var bytes = NumpyFile.Encode(new AnomalyMap(new Grid(height, width), values));
        var array = NumpyArray.Parse(bytes);
        Assert.Equal((height, width), (array.Height, array.Width));
        Assert.Equal(values, array.Values);
        System.IO.File.WriteAllBytes(File, bytes);
        var npy = NumpyFile.Open(File);
        Assert.Equal([height, width], npy.Shape);
        Assert.Equal(values.TakeLast(width).Select(value => value > 0), npy.ReadPositive(height - 1));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_frame_of_every_type_is_read_by_itself(string type, byte[] data)
    {
        foreach (byte version in new byte[] { 1, 2, 3 })
        {
            NumpyArray.Write(
                File,
                $"{{'descr': '{type}', 'fortran_order': False, 'shape': (2, 1, 3), }}   ",
                data,
                version
            );
            var npy = NumpyFile.Open(File);
            Assert.Equal([2, 1, 3], npy.Shape);
            Assert.Equal([false, true, true], npy.ReadPositive(0));
            Assert.Equal([false, false, true], npy.ReadPositive(1));
            Assert.Throws<ArgumentOutOfRangeException>(() => npy.ReadPositive(2));
        }
    }

    [Fact]
    public void A_vector_has_frames_of_one_value()
    {
        NumpyArray.Write(File, "{'descr': '|u1', 'fortran_order': False, 'shape': (3L,), }", [0, 1, 0]);
        var npy = NumpyFile.Open(File);
        Assert.Equal([false, true, false], Enumerable.Range(0, 3).Select(i => Assert.Single(npy.ReadPositive(i))));
    }

    [Theory]
    [InlineData("{'descr': '|u1', 'fortran_order': True, 'shape': (4,), }", "Fortran")]
    [InlineData("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", "little-endian")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (4,), }", "not supported")]
    [InlineData("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (4,), }", "not supported")]
    [InlineData("__import__('os').abort()", "not supported")]
    [InlineData("", "not supported")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "shape")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }", "shape")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", "not supported")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 4), }", "shape")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 4), }", "shape")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647), }", "shape")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 8192, 8192), }", "should have")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }", "should have 5 bytes")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "should have 3 bytes")]
    public void A_hostile_header_is_refused_with_the_reason(string header, string reason)
    {
        NumpyArray.Write(File, header, [1, 2, 3, 4]);
        Assert.Contains(
            reason,
            Assert.Throws<InvalidDataException>(() => NumpyFile.Open(File)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(new byte[] { }, "ends within")]
    [InlineData(new byte[] { 0x93, (byte)'N' }, "ends within")]
    [InlineData(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, "not an NPY file")]
    [InlineData(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 9, 0, 1, 0 }, "version 9.0")]
    [InlineData(
        new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 255, 0 },
        "ends within"
    )]
    [InlineData(
        new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 2, 0, 255, 255, 255, 255 },
        "at most"
    )]
    public void What_does_not_start_as_one_is_refused(byte[] bytes, string reason)
    {
        System.IO.File.WriteAllBytes(File, bytes);
        Assert.Contains(
            reason,
            Assert.Throws<InvalidDataException>(() => NumpyFile.Open(File)).Message,
            StringComparison.Ordinal
        );
    }

    public void Dispose() => _folder.Dispose();

    private string File => _folder.Combine("masks.npy");

    private static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();
}
