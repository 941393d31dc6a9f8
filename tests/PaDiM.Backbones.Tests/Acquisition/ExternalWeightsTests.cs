using PaDiM.Backbones.Acquisition;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Acquisition;

/// <summary>ONNX files as newer exporters write them: the graph in one file, its weights in another.</summary>
public sealed class ExternalWeightsTests : IDisposable
{
    private static readonly long[] Shape = [4, 3, 2, 2];
    private static readonly float[] Values = [.. Enumerable.Range(0, 48).Select(i => i / 8f)];
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Weights_beside_the_file_become_part_of_it(bool withManifest)
    {
        WriteData(offset: 16);
        var path = Write(16, 4 * Values.Length);
        if (withManifest)
            File.WriteAllText(
                Path.ChangeExtension(path, ".json"),
                $$"""{ "sha256": "{{FileHash.Compute(path)}}", "licence": "mine", "taps": [{ "tensor": "y" }] }"""
            );
        var done = await AddAsync(path);
        Assert.Equal(FileHash.Compute(path), done.Manifest.SourceSha256);
        Assert.Equal(withManifest ? "mine" : null, done.Manifest.Licence);
        using var backbone = Backbone.Load(done.File, BackboneFolder.Cpu);
        Assert.Equal([4], backbone.TapChannels);
        var weights = new Constants(GraphEditor.Open(File.ReadAllBytes(done.File.Path)).Graph).Find("w")!.Value;
        Assert.Equal(Values, weights.Values);
        Assert.False((await AddAsync(path)).Changed);
    }

    [Fact]
    public async Task A_whole_file_of_weights_needs_no_bounds()
    {
        WriteData(offset: 0);
        var done = await AddAsync(Write(null, null));
        Assert.Equal(
            Values,
            new Constants(GraphEditor.Open(File.ReadAllBytes(done.File.Path)).Graph).Find("w")!.Value.Values
        );
    }

    [Theory]
    [InlineData("w.data", 17L, 192L, "too short")]
    [InlineData("w.data", 1000L, null, "too short")]
    [InlineData("w.data", 0L, 1L << 40, "too short")]
    [InlineData("w.data", -1L, null, "too short")]
    [InlineData("absent.data", 0L, 192L, "not beside")]
    [InlineData("../w.data", 0L, 192L, "beside the ONNX file")]
    [InlineData("/etc/hostname", 0L, 4L, "beside the ONNX file")]
    [InlineData("..", 0L, 4L, "beside the ONNX file")]
    [InlineData("", 0L, 4L, "beside the ONNX file")]
    public async Task Weights_that_are_missing_short_or_elsewhere_are_refused(
        string location,
        long? offset,
        long? length,
        string expected
    )
    {
        WriteData(offset: 16);
        var path = Write(offset, length, location);
        Assert.Contains(
            expected,
            (await Assert.ThrowsAsync<InvalidDataException>(() => AddAsync(path))).Message,
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(_folder.Combine("nets", "own.onnx")));
    }

    private void WriteData(int offset) =>
        File.WriteAllBytes(
            _folder.Combine("w.data"),
            [.. new byte[offset], .. Values.SelectMany(BitConverter.GetBytes)]
        );

    private string Write(long? offset, long? length, string location = "w.data")
    {
        var path = _folder.Combine("own.onnx");
        var graph = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Weight(OnnxGraph.ExternalTensor("w", Shape, location, offset, length))
            .Node("Conv", ["x", "w"], ["y"], OnnxGraph.Ints("strides", 4, 4), OnnxGraph.Ints("kernel_shape", 2, 2))
            .Output("y");
        File.WriteAllBytes(path, graph.ToArray());
        return path;
    }

    private Task<Installation> AddAsync(string path) =>
        new BackboneInstaller(
            [_folder.Combine("nets")],
            BackboneCatalogue.Known,
            BackboneFolder.Cpu,
            TimeProvider.System
        ).AddAsync(new InstallRequest("own", path), CancellationToken.None);
}
