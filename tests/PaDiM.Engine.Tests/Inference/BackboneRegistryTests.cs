using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Inference;

public sealed class BackboneRegistryTests
{
    private static readonly OnnxGraph Graph = OnnxGraph.Classifier(-1, 3, -1, -1);

    [Fact]
    public void The_built_in_backbone_is_found_and_opens()
    {
        using var registry = new BackboneRegistry([], BackboneFolder.Cpu);
        var file = Assert.Single(registry.Directories.List(), file => file.Name == BackboneRegistry.DefaultName);
        Assert.True(file.IsBuiltIn);
        var backbone = registry.Open(BackboneRegistry.DefaultName);
        Assert.Equal([64, 128, 256], backbone.TapChannels);
        Assert.Equal([4, 8, 16], backbone.Taps.Select(tap => tap.Stride));
        Assert.Null(backbone.FixedSize);
        Assert.Equal(backbone.Manifest.Sha256, backbone.Identity.Sha256);
        Assert.Same(backbone, registry.Open(BackboneRegistry.DefaultName));
    }

    [Fact]
    public void Configured_folders_are_searched_and_absent_ones_passed_over()
    {
        using var folder = new BackboneFolder();
        folder.Put("own", Graph);
        using var registry = new BackboneRegistry(
            [Path.Combine(folder.Path, "absent"), folder.Path],
            BackboneFolder.Cpu
        );
        Assert.Contains("own", registry.Directories.List().Select(file => file.Name));
        Assert.False(registry.Directories.Find("own")!.IsBuiltIn);
        Assert.Equal([8, 10, 12], registry.Open("own").TapChannels);
    }

    [Fact]
    public void A_file_that_appears_later_is_found()
    {
        using var folder = new BackboneFolder();
        Assert.Null(folder.Registry.Directories.Find("late"));
        folder.Put("late", Graph);
        Assert.NotNull(folder.Registry.Directories.Find("late"));
    }

    [Fact]
    public void The_first_of_a_name_wins()
    {
        using var first = new BackboneFolder();
        using var second = new BackboneFolder();
        first.Put("same", Graph).Put("tiny", Graph);
        second.Put("same", Graph);
        using var registry = new BackboneRegistry([first.Path, second.Path], BackboneFolder.Cpu);
        Assert.Equal(Path.Combine(first.Path, "same.onnx"), registry.Directories.Find("same")!.Path);
        Assert.True(registry.Directories.Find("tiny")!.IsBuiltIn);
        Assert.Equal(
            registry.Directories.List().Count,
            registry.Directories.List().DistinctBy(file => file.Name).Count()
        );
    }

    [Fact]
    public void A_folder_whose_name_begins_like_the_built_in_one_is_not_built_in()
    {
        var neighbour = Directory.CreateDirectory($"{BackboneDirectories.BuiltIn}-of-{Guid.NewGuid():n}");
        try
        {
            File.WriteAllBytes(Path.Combine(neighbour.FullName, "own.onnx"), Graph.ToArray());
            using var registry = new BackboneRegistry([neighbour.FullName], BackboneFolder.Cpu);
            Assert.False(registry.Directories.Find("own")!.IsBuiltIn);
        }
        finally
        {
            neighbour.Delete(recursive: true);
        }
    }

    [Fact]
    public void An_unknown_name_is_named_in_the_error()
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "'resnet9000'",
            Assert.Throws<KeyNotFoundException>(() => folder.Registry.Open("resnet9000")).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<KeyNotFoundException>(() => folder.Registry.Open("../tiny"));
    }

    [Fact]
    public void A_failure_is_not_kept()
    {
        using var folder = new BackboneFolder();
        Assert.Throws<KeyNotFoundException>(() => folder.Registry.Open("mended"));
        folder.Put("mended", "not yet"u8.ToArray());
        folder.Refusal("mended");
        folder.Put("mended", Graph);
        Assert.Equal([8, 10, 12], folder.Registry.Open("mended").TapChannels);
    }

    [Fact]
    public void Many_threads_open_one_session()
    {
        using var folder = new BackboneFolder();
        folder.Put("own", Graph);
        var opened = new Backbone[16];
        Parallel.For(0, opened.Length, i => opened[i] = folder.Registry.Open("own"));
        Assert.Single(opened.Distinct());
    }

    [Theory]
    [InlineData("resnet18", 64, 128, 256)]
    [InlineData("squeezenet1_1", 128, 256, 512)]
    public void Real_networks_open_without_a_manifest(string name, params int[] channels)
    {
        var file = $"backbones/{name}.onnx";
        Assert.SkipUnless(SharedFolder.Has(file), SharedFolder.Missing(file));
        using var registry = new BackboneRegistry([SharedFolder.Path("backbones")], BackboneFolder.Cpu);
        var backbone = registry.Open(name);
        Assert.Equal(channels, backbone.TapChannels);
        Assert.Equal([4, 8, 16], backbone.Taps.Select(tap => tap.Stride));
    }
}
