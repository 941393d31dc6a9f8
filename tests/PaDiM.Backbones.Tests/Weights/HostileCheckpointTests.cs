using System.IO.Compression;
using System.Text;
using PaDiM.Backbones.Tests.Support;

namespace PaDiM.Backbones.Tests.Weights;

public sealed class HostileCheckpointTests
{
    private static readonly byte[] Command = TorchFile.Text("touch /tmp/owned");

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "eval")]
    [InlineData("subprocess", "Popen")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor_v2.__globals__")]
    [InlineData("collections", "OrderedDict.__init__")]
    [InlineData("torch.storage", "UntypedStorage")]
    public void What_is_not_allowed_is_refused_by_name_wherever_it_stands(string module, string name)
    {
        byte[] call = [.. Command, 0x85, (byte)'R'],
            stackGlobal = [.. TorchFile.Text(module), .. TorchFile.Text(name), 0x93];
        foreach (
            var pickle in new byte[][]
            {
                [.. TorchFile.Global(module, name), .. call],
                [.. stackGlobal, .. call],
                TorchFile.One([.. TorchFile.Global(module, name), .. call]),
            }
        )
        foreach (var file in new[] { TorchFile.Zip(pickle), Legacy(pickle) })
            Assert.StartsWith(
                $"The weights file was refused: it tries to run '{module}.{name}', which",
                WeightsCase.Refusal(file),
                StringComparison.Ordinal
            );
    }

    [Theory]
    [InlineData("INST", "(i os\nsystem\n")]
    [InlineData("OBJ", "(o")]
    [InlineData("NEWOBJ", "\u0081")]
    [InlineData("NEWOBJEX", "\u0092")]
    [InlineData("EXT1", "\u0082\u0001")]
    [InlineData("EXT2", "\u0083\u0001\0")]
    [InlineData("EXT4", "\u0084\u0001\0\0\0")]
    [InlineData("PERSID", "P0\n")]
    [InlineData("DUP", "}2")]
    [InlineData("BYTEARRAY8", "\u0096")]
    [InlineData("0xff", "\u00ff")]
    public void Operations_that_tensors_do_not_need_are_refused_by_name(string operation, string pickle) =>
        Assert.Contains(
            $"the pickle operation {operation},",
            WeightsCase.Refusal(TorchFile.Zip(Encoding.Latin1.GetBytes(pickle))),
            StringComparison.Ordinal
        );

    [Fact]
    public void Allowed_names_do_nothing_but_what_they_are_for()
    {
        byte[] tensor = TorchFile.Tensor("0", 2, 0, [2], [1]),
            dictionary = TorchFile.Global("collections", "OrderedDict"),
            storage = TorchFile.Global("torch", "FloatStorage");
        byte[][] pickles =
        [
            [.. dictionary, .. Command, 0x85, (byte)'R'],
            [.. storage, .. Command, 0x85, (byte)'R'],
            [.. dictionary, (byte)'}', (byte)'b'],
            [.. tensor, (byte)'}', (byte)'b'],
            [.. "}"u8, .. Command, (byte)'b'],
            [.. Command, .. Command, 0x85, (byte)'R'],
            [.. storage, (byte)'Q'],
            [.. TorchFile.Global("torch._utils", "_rebuild_parameter"), .. Command, 0x85, (byte)'R'],
            [.. TorchFile.Global("torch._utils", "_rebuild_tensor_v2"), (byte)')', (byte)'R'],
        ];
        foreach (var pickle in pickles)
            Assert.Contains(
                "is damaged",
                WeightsCase.Refusal(TorchFile.Zip(pickle, ("0", new byte[8]))),
                StringComparison.Ordinal
            );
    }

    [Theory]
    [InlineData(3, 0, new long[] { 3 }, new long[] { 1 })]
    [InlineData(long.MaxValue, 0, new long[] { 2 }, new long[] { 1 })]
    [InlineData(1L << 61, 0, new long[] { 1L << 61 }, new long[] { 1 })]
    [InlineData(-1, 0, new long[] { 2 }, new long[] { 1 })]
    [InlineData(2, 1, new long[] { 2 }, new long[] { 1 })]
    [InlineData(2, -1, new long[] { 1 }, new long[] { 1 })]
    [InlineData(2, long.MaxValue, new long[] { 1 }, new long[] { 1 })]
    [InlineData(2, 0, new long[] { 2 }, new long[] { 2 })]
    [InlineData(2, 0, new long[] { 2 }, new long[] { -1 })]
    [InlineData(2, 0, new long[] { -2 }, new long[] { 1 })]
    [InlineData(2, 0, new long[] { 2 }, new long[] { 1, 1 })]
    [InlineData(2, 0, new long[] { 1L << 40 }, new long[] { 0 })]
    [InlineData(2, 0, new long[] { 1L << 32, 1L << 32 }, new long[] { 0, 0 })]
    [InlineData(2, 0, new long[] { 2, 2 }, new long[] { long.MaxValue, long.MaxValue })]
    [InlineData(2, 0, new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 })]
    public void Tensors_that_reach_beyond_their_storage_are_refused(
        long length,
        long offset,
        long[] shape,
        long[] strides
    )
    {
        var pickle = TorchFile.One(TorchFile.Tensor("0", length, offset, shape, strides));
        Assert.Contains(
            "is damaged",
            WeightsCase.Refusal(TorchFile.Zip(pickle, ("0", new byte[8]))),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is damaged",
            WeightsCase.Refusal(Legacy(pickle, ("0", 2, new byte[8]))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Storages_that_overlap_or_serve_many_tensors_are_only_read_where_they_are()
    {
        byte[] pickle =
        [
            .. "}("u8,
            .. Enumerable
                .Range(0, 100)
                .SelectMany(i => (byte[])[.. TorchFile.Text($"{i}"), .. TorchFile.Tensor("0", 2, i % 2, [1], [7])]),
            (byte)'u',
        ];
        using var file = new WeightsCase(TorchFile.Zip(pickle, ("0", [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])));
        using var weights = file.Open();
        Assert.Equal(100, weights.Tensors.Count);
        Assert.Equal((1f, 2f), (weights.Tensors["4"].Read()[0], weights.Tensors["5"].Read()[0]));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Lengths_of_storages_beyond_the_file_are_refused(long length) =>
        Assert.Contains(
            "incomplete",
            WeightsCase.Refusal(
                Legacy(TorchFile.One(TorchFile.Tensor("0", 2, 0, [2], [1])), ("0", length, new byte[8]))
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_storage_that_is_part_of_another_is_refused_with_what_to_do()
    {
        byte[] part =
        [
            (byte)'(',
            .. TorchFile.Text("storage"),
            .. TorchFile.Global("torch", "FloatStorage"),
            .. TorchFile.Text("0"),
            .. TorchFile.Text("cpu"),
            .. TorchFile.Whole(2),
            .. TorchFile.Tuple([0, 0, 2]),
            (byte)'t',
            (byte)'Q',
        ];
        Assert.Contains(
            "Save its tensors again",
            WeightsCase.Refusal(Legacy(TorchFile.One(part))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_pickle_that_holds_itself_or_nothing_is_refused()
    {
        Assert.Contains(
            "no tensors",
            WeightsCase.Refusal(TorchFile.Zip([.. "}q\0"u8, .. TorchFile.Text("x"), .. "h\0s"u8])),
            StringComparison.Ordinal
        );
        Assert.Contains("no tensors", WeightsCase.Refusal(TorchFile.Zip([.. "}"u8])), StringComparison.Ordinal);
        Assert.Contains(
            "ends too early",
            WeightsCase.Refusal(TorchFile.Zip([(byte)'X', 0xff, 0xff, 0xff, 0xff])),
            StringComparison.Ordinal
        );
        Assert.Contains("protocol 9", WeightsCase.Refusal(TorchFile.Zip([0x80, 9])), StringComparison.Ordinal);
        Assert.Contains(
            "pickle is invalid",
            WeightsCase.Refusal(TorchFile.Zip([.. Enumerable.Repeat((byte)'(', 100_000)])),
            StringComparison.Ordinal
        );
        Assert.Contains("pickle is invalid", WeightsCase.Refusal(TorchFile.Zip([])), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_from_the_file_are_cut_short_and_cleaned_in_messages()
    {
        var message = WeightsCase.Refusal(TorchFile.Zip(TorchFile.Global("os\u001b[2J", new string('x', 100_000))));
        Assert.StartsWith(
            "The weights file was refused: it tries to run 'os?[2J.xxx",
            message,
            StringComparison.Ordinal
        );
        Assert.InRange(message.Length, 100, 250);
    }

    [Fact]
    public void A_pickle_of_more_bytes_than_any_list_of_tensors_has_is_refused() =>
        Assert.Contains(
            "data.pkl has",
            WeightsCase.Refusal(TorchFile.Zip(new byte[(4 << 20) + 1])),
            StringComparison.Ordinal
        );

    [Fact]
    public void Nesting_costs_no_stack()
    {
        byte[] nested = [.. Enumerable.Repeat((byte)')', 1), .. Enumerable.Repeat((byte)0x85, 1_000_000)];
        Assert.Contains("no tensors", WeightsCase.Refusal(TorchFile.Zip(nested)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_zip_file_is_refused_before_it_is_unpacked()
    {
        var bomb = TorchFile.Zip([("data.pkl", new byte[64 << 20])], CompressionLevel.Fastest);
        Assert.Contains("compressed", WeightsCase.Refusal(bomb), StringComparison.Ordinal);
        Assert.Contains(
            "not a PyTorch checkpoint",
            WeightsCase.Refusal(TorchFile.Zip([("other", new byte[8])], CompressionLevel.NoCompression)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "byte order",
            WeightsCase.Refusal(
                TorchFile.Zip(
                    [("data.pkl", "\u0080\u0002}."u8.ToArray()), ("byteorder", "big"u8.ToArray())],
                    CompressionLevel.NoCompression
                )
            ),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("PK")]
    [InlineData("PK\u0003\u0004")]
    [InlineData("\u0080")]
    [InlineData("\u0080\u0002}.")]
    [InlineData("\u0089PNG\r\n\u001a\n and so on")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n")]
    public void Other_files_are_refused(string content) => WeightsCase.Refusal(Encoding.Latin1.GetBytes(content));

    [Theory]
    [InlineData("state-zip")]
    [InlineData("state-legacy")]
    [InlineData("state-protocol4")]
    [InlineData("training-legacy")]
    public void A_file_with_a_byte_changed_or_its_end_missing_is_read_or_refused_and_nothing_else(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "Checkpoints", $"{name}.pth"));
        var random = new Random(5);
        using var file = new WeightsCase(bytes);
        for (var at = 0; at < bytes.Length; at++)
        {
            var changed = bytes.ToArray();
            changed[at] = (byte)random.Next(256);
            Try(changed, $"byte {at} is {changed[at]}");
            if (at % 7 != 0)
                continue;
            for (var i = 0; i < 3; i++)
                changed[random.Next(bytes.Length)] = (byte)random.Next(256);
            Try(changed, $"byte {at} is changed, and three others");
            Try(bytes[..at], $"{at} bytes");
        }

        void Try(byte[] content, string what)
        {
            file.Put(content);
            var thrown = Record.Exception(file.ReadAll);
            Assert.True(thrown is null or InvalidDataException, $"{what}: {thrown}");
        }
    }

    /// <summary>A checkpoint of the form before 1.6.</summary>
    private static byte[] Legacy(byte[] pickle, params (string Key, long Length, byte[] Data)[] storages) =>
        [
            .. Pickled([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
            .. Pickled(TorchFile.Whole(1001)),
            .. Pickled([.. "}"u8, .. TorchFile.Text("little_endian"), 0x88, (byte)'s']),
            .. Pickled(pickle),
            .. Pickled([.. "]("u8, .. storages.SelectMany(storage => TorchFile.Text(storage.Key)), (byte)'e']),
            .. storages.SelectMany(storage => (byte[])[.. BitConverter.GetBytes(storage.Length), .. storage.Data]),
        ];

    private static byte[] Pickled(byte[] content) => [0x80, 2, .. content, (byte)'.'];
}
