using PaDiM.Backbones.Tests.Support;
using PaDiM.Backbones.Weights;

namespace PaDiM.Backbones.Tests.Weights;

/// <summary>
/// Files that PyTorch saved, by tools/fixtures/torch_checkpoints.py: value i of every tensor is i / 8 - 2.
/// </summary>
public sealed class CheckpointTests
{
    [Theory]
    [InlineData("state-zip")]
    [InlineData("state-legacy")]
    [InlineData("state-protocol4")]
    public void Tensors_of_all_types_and_strides_are_read(string name)
    {
        using var file = Open(name);
        var expected = new Dictionary<string, long[]>
        {
            ["single"] = [2, 3],
            ["double"] = [2, 3],
            ["half"] = [2, 3],
            ["bfloat16"] = [2, 3],
            ["scalar"] = [],
            ["parameter"] = [4],
            ["transposed"] = [2, 3],
            ["channels_last"] = [2, 3, 2, 2],
            ["expanded"] = [1, 1],
            ["part"] = [4, 6],
            ["every_other"] = [6],
        };
        Assert.Equal(
            expected.Keys.Append("num_batches_tracked").Order(StringComparer.Ordinal),
            file.Tensors.Keys.Order(StringComparer.Ordinal)
        );
        foreach (var (tensor, shape) in expected)
        {
            Assert.Equal(shape, file.Tensors[tensor].Shape);
            Assert.Equal(Values(shape), file.Tensors[tensor].Read());
        }
    }

    [Fact]
    public void Integers_are_passed_over_until_they_are_wanted_as_weights()
    {
        using var file = Open("state-zip");
        Assert.Contains(
            "'num_batches_tracked' has type Long",
            Assert.Throws<InvalidDataException>(file.Tensors["num_batches_tracked"].Read).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("training-zip")]
    [InlineData("training-legacy")]
    public void A_state_dict_is_found_among_what_training_keeps(string name)
    {
        using var file = Open(name);
        Assert.Equal(
            [
                "bn.bias",
                "bn.num_batches_tracked",
                "bn.running_mean",
                "bn.running_var",
                "bn.weight",
                "conv.bias",
                "conv.weight",
            ],
            file.Tensors.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal(Values([3, 2, 1, 1]), file.Tensors["conv.weight"].Read());
    }

    [Fact]
    public void Tensors_as_the_first_versions_wrote_them_are_read()
    {
        byte[] tensor =
        [
            .. TorchFile.Global("torch._utils", "_rebuild_tensor"),
            (byte)'(',
            .. TorchFile.Storage("FloatStorage", "0", 2),
            .. TorchFile.Whole(1),
            .. TorchFile.Tuple([1]),
            .. TorchFile.Tuple([1]),
            (byte)'t',
            (byte)'R',
        ];
        using var made = new WeightsCase(TorchFile.Zip(TorchFile.One(tensor), ("0", [0, 0, 0, 0, 0, 0, 0x80, 0x3f])));
        using var file = made.Open();
        Assert.Equal([1f], file.Tensors["x"].Read());
    }

    [Fact]
    public void Dictionaries_as_Python_2_wrote_them_are_read()
    {
        byte[] pairs = [.. "](]("u8, .. TorchFile.Text("x"), .. TorchFile.Tensor("0", 2, 0, [2], [1]), .. "ee"u8];
        using var made = new WeightsCase(
            TorchFile.Zip(
                [.. TorchFile.Global("collections", "OrderedDict"), .. pairs, 0x85, (byte)'R'],
                ("0", new byte[8])
            )
        );
        using var file = made.Open();
        Assert.Equal([2], file.Tensors["x"].Shape);
    }

    private static WeightsFile Open(string name) =>
        WeightsFile.Open(Path.Combine(AppContext.BaseDirectory, "Fixtures", "Checkpoints", $"{name}.pth"));

    private static float[] Values(long[] shape) =>
        [
            .. Enumerable
                .Range(0, (int)shape.Aggregate(1L, (product, extent) => product * extent))
                .Select(i => i / 8f - 2),
        ];
}
