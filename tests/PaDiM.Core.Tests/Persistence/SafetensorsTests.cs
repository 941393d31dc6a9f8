using System.Text;
using PaDiM.Core.Persistence;

namespace PaDiM.Core.Tests.Persistence;

public sealed class SafetensorsTests
{
    [Fact]
    public void Tensors_of_each_type_read_back_and_data_starts_aligned()
    {
        var stream = new MemoryStream();
        Safetensors.Write(
            stream,
            new Dictionary<string, string> { ["b"] = "2", ["a"] = "é" },
            SafetensorsTensor.Create("floats", [2, 2], new[] { 1f, 2, 3, 4 }),
            SafetensorsTensor.Create("doubles", [1], new[] { Math.PI }),
            SafetensorsTensor.Create("integers", [3], new[] { -1, 0, 1 })
        );
        Assert.Equal(0, (8 + BitConverter.ToInt64(stream.ToArray())) % 64);
        stream.Position = 0;
        var file = SafetensorsReader.Open(stream);
        Assert.Equal([1, 2, 3, 4], file.ReadArray<float>("floats", 2, 2));
        Assert.Equal([Math.PI], file.ReadArray<double>("doubles", 1));
        Assert.Equal([-1, 0, 1], file.ReadArray<int>("integers", 3));
        Assert.Equal("é", file.Metadata["a"]);
        Assert.Throws<InvalidDataException>(() => file.ReadArray<float>("floats", 4));
        Assert.Throws<InvalidDataException>(() => file.ReadArray<double>("floats", 2, 2));
        Assert.Throws<InvalidDataException>(() => file.ReadArray<float>("missing", 1));
    }

    [Fact]
    public void A_shape_that_does_not_fit_its_values_is_not_written() =>
        Assert.Throws<ArgumentException>(() =>
            Safetensors.Write(
                new MemoryStream(),
                new Dictionary<string, string>(),
                SafetensorsTensor.Create("x", [3], new float[4])
            )
        );

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"x":1}""")]
    [InlineData("""{"__metadata__":[]}""")]
    [InlineData("""{"__metadata__":{"a":1}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""")]
    [InlineData("""{"x":{"dtype":"Q7","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""")]
    public void A_hostile_header_is_refused_as_invalid_data(string header)
    {
        var text = Encoding.UTF8.GetBytes(header);
        byte[] file = [.. BitConverter.GetBytes((long)text.Length), .. text, 0, 0, 0, 0];
        Assert.Throws<InvalidDataException>(() => SafetensorsReader.Open(new MemoryStream(file)));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1L << 40)]
    [InlineData(long.MaxValue)]
    public void A_header_length_beyond_the_file_is_refused_before_anything_is_allocated(long length) =>
        Assert.Throws<InvalidDataException>(() =>
            SafetensorsReader.Open(new MemoryStream([.. BitConverter.GetBytes(length), 1, 2, 3, 4]))
        );
}
