using System.Buffers.Binary;
using System.Text;
using PaDiM.Backbones.Tests.Support;

namespace PaDiM.Backbones.Tests.Weights;

public sealed class SafetensorsWeightsTests
{
    private const string Header = """
        {"__metadata__":{"format":"pt"},
         "half":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},
         "single":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
         "brain":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},
         "double":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},
         "bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}
        """;

    [Fact]
    public void Files_of_other_programs_are_read_in_every_floating_type()
    {
        byte[] data =
        [
            .. BitConverter.GetBytes(1.5f),
            .. BitConverter.GetBytes(-2f),
            .. BitConverter.GetBytes((Half)0.25),
            .. BitConverter.GetBytes((Half)(-8)),
            0x80,
            0x3f,
            0x20,
            0xc0,
            .. BitConverter.GetBytes(Math.PI),
            .. BitConverter.GetBytes(7L),
        ];
        using var file = new WeightsCase(File(Header, data));
        using var weights = file.Open();
        Assert.Equal([1.5f, -2], weights.Tensors["single"].Read());
        Assert.Equal([1L, 2], weights.Tensors["single"].Shape);
        Assert.Equal([0.25f, -8], weights.Tensors["half"].Read());
        Assert.Equal([1, -2.5f], weights.Tensors["brain"].Read());
        Assert.Equal([(float)Math.PI], weights.Tensors["double"].Read());
        Assert.Contains(
            "has type I64",
            Assert.Throws<InvalidDataException>(weights.Tensors["bn.num_batches_tracked"].Read).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Gaps_overlaps_and_missing_data_are_refused()
    {
        foreach (
            var (from, to) in new[]
            {
                ("[8,12]", "[4,8]"),
                ("[8,12]", "[9,13]"),
                ("[24,32]", "[32,40]"),
                ("[2]", "[3]"),
            }
        )
            Assert.Contains(
                "header cannot be read",
                WeightsCase.Refusal(File(Header.Replace(from, to, StringComparison.Ordinal), new byte[32])),
                StringComparison.Ordinal
            );
        WeightsCase.Refusal(File(Header, new byte[31]));
        WeightsCase.Refusal(File(Header, new byte[33]));
    }

    [Fact]
    public void A_file_with_a_byte_changed_is_read_or_refused_and_nothing_else()
    {
        var bytes = File(Header, new byte[32]);
        using var file = new WeightsCase(bytes);
        for (var at = 0; at < bytes.Length; at++)
            foreach (var value in new byte[] { 0, (byte)'9', (byte)'{', 255 })
            {
                var changed = bytes.ToArray();
                changed[at] = value;
                file.Put(changed);
                var thrown = Record.Exception(file.ReadAll);
                Assert.True(thrown is null or InvalidDataException, $"byte {at} is {value}: {thrown}");
            }
    }

    private static byte[] File(string header, byte[] data)
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(header) + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8 - data.Length);
        Encoding.UTF8.GetBytes(header).CopyTo(bytes, 8);
        data.CopyTo(bytes, bytes.Length - data.Length);
        return bytes;
    }
}
