using PaDiM.Backbones.Acquisition;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Preprocessing;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Sizes;

/// <summary>Convolutional networks that declare one size.</summary>
public sealed class SizeFreeingTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 96, 96)]
    [InlineData(-1, 96, 96)]
    [InlineData(1, 96, 64)]
    public async Task A_declared_size_is_freed(int batch, int height, int width)
    {
        var done = await AddAsync(OnnxGraph.Classifier(batch, 3, height, width));
        Assert.Contains($"{height} x {width}", done.Notice, StringComparison.Ordinal);
        Assert.Contains("any size", done.Notice, StringComparison.Ordinal);
        Assert.Equal(FileHash.Compute(_folder.Combine("own.onnx")), done.Manifest.SourceSha256);
        Assert.Equal(FileHash.Compute(done.File.Path), done.Manifest.Sha256);
        using var backbone = Backbone.Load(done.File, BackboneFolder.Cpu);
        Assert.Null(backbone.FixedSize);
        Assert.Equal(["r2", "r3", "r4"], backbone.Identity.Taps);
        Assert.False((await AddAsync(OnnxGraph.Classifier(batch, 3, height, width))).Changed);
    }

    [Fact]
    public async Task A_size_in_a_Reshape_is_freed()
    {
        // A shuffle of channels, as exported for one image of 64 x 64 pixels.
        var graph = new OnnxGraph()
            .Input("x", 1, 3, 64, 64)
            .Conv("x", "c", 3, 8, 3, 4)
            .Node("Constant", [], ["split"], OnnxGraph.TensorAttribute("value", Shape(1, 2, 4, 16, 16)))
            .Node("Reshape", ["c", "split"], ["groups"])
            .Node("Transpose", ["groups"], ["swapped"], OnnxGraph.Ints("perm", 0, 2, 1, 3, 4))
            .Node("Constant", [], ["joined"], OnnxGraph.TensorAttribute("value", Shape(1, 8, 16, 16)))
            .Node("Reshape", ["swapped", "joined"], ["y"])
            .Output("y");
        var done = await AddAsync(graph, """{ "taps": [{ "tensor": "y" }] }""");
        Assert.Contains("any size", done.Notice, StringComparison.Ordinal);
        using var backbone = Backbone.Load(done.File, BackboneFolder.Cpu);
        Assert.Equal((null, 8), (backbone.FixedSize, backbone.TapChannels.Single()));
    }

    [Fact]
    public async Task A_network_that_adds_a_map_of_its_own_size_stays_as_it_is_and_says_so()
    {
        var graph = new OnnxGraph()
            .Input("x", -1, 3, 64, 64)
            .Conv("x", "c", 3, 4, 3, 4)
            .Weight("map", [1, 4, 16, 16], new float[4 * 16 * 16])
            .Node("Add", ["c", "map"], ["y"])
            .Output("y");
        var done = await AddAsync(graph, """{ "taps": [{ "tensor": "y" }] }""");
        Assert.Contains("only images of 64 x 64", done.Notice, StringComparison.Ordinal);
        Assert.Null(done.Manifest.SourceSha256);
        Assert.Equal(File.ReadAllBytes(_folder.Combine("own.onnx")), File.ReadAllBytes(done.File.Path));
        using var backbone = Backbone.Load(done.File, BackboneFolder.Cpu);
        Assert.Equal(64, backbone.FixedSize);
    }

    [Fact]
    public async Task A_requested_normalisation_and_taps_go_into_the_manifest()
    {
        var done = await AddAsync(
            OnnxGraph.Classifier(-1, 3, -1, -1),
            """{ "licence": "mine", "taps": [{ "tensor": "c4" }] }""",
            request =>
                request with
                {
                    Normalisation = new([1, 2, 3], [4, 5, 6], 255, ChannelOrder.Bgr),
                    Taps = ["r2", "r3"],
                }
        );
        Assert.Null(done.Notice);
        using var backbone = Backbone.Load(done.File, BackboneFolder.Cpu);
        Assert.Equal("(x - [1, 2, 3]) / [4, 5, 6], BGR", backbone.Identity.Normalisation);
        Assert.Equal(["r2", "r3"], backbone.Identity.Taps);
        Assert.Equal("mine", backbone.Manifest.Licence);
    }

    [Fact]
    public async Task A_damaged_file_is_not_changed_into_another_one()
    {
        var manifest = $$"""{ "sha256": "{{new string('0', 64)}}" }""";
        Assert.Contains(
            "SHA-256",
            (
                await Assert.ThrowsAsync<InvalidDataException>(() =>
                    AddAsync(OnnxGraph.Classifier(1, 3, 96, 96), manifest)
                )
            ).Message,
            StringComparison.Ordinal
        );
    }

    private static byte[] Shape(params long[] extents) => OnnxGraph.IntegerTensor("", extents);

    private Task<Installation> AddAsync(
        OnnxGraph graph,
        string? manifest = null,
        Func<InstallRequest, InstallRequest>? change = null
    )
    {
        File.WriteAllBytes(_folder.Combine("own.onnx"), graph.ToArray());
        if (manifest is not null)
            File.WriteAllText(_folder.Combine("own.json"), manifest);
        var request = new InstallRequest("own", _folder.Combine("own.onnx"));
        return new BackboneInstaller(
            [_folder.Combine("nets")],
            BackboneCatalogue.Known,
            BackboneFolder.Cpu,
            TimeProvider.System
        ).AddAsync(change?.Invoke(request) ?? request, CancellationToken.None);
    }
}
