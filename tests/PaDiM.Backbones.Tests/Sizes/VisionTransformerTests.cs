using PaDiM.Backbones.Acquisition;
using PaDiM.Backbones.Tests.Support;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Sizes;

/// <summary>Vision transformers as users export them, compared with PyTorch at sizes that they were not made for.</summary>
public sealed class VisionTransformerTests(ITestOutputHelper output) : IDisposable
{
    private static readonly Grid[] Sizes14 = [new(70, 70), new(98, 98), new(140, 140), new(112, 168)];
    private static readonly Grid[] Sizes16 = [new(64, 64), new(96, 96), new(80, 128)];
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("dinov2", "dinov2", 1)]
    [InlineData("dinov2_batch", "dinov2", 1)]
    [InlineData("dinov2_resized", "dinov2", 1)]
    [InlineData("dinov2_declared", "dinov2", 1)]
    [InlineData("dinov2_registers", "dinov2_registers", 5)]
    [InlineData("dinov3", "dinov3", 5)]
    public async Task A_network_made_for_one_size_answers_as_PyTorch_at_others(string file, string network, int prefix)
    {
        var done = await AddAsync(file);
        Assert.Contains("any size", done.Notice, StringComparison.Ordinal);
        Assert.Equal(prefix, done.Manifest.PrefixTokens);
        Assert.NotNull(done.Manifest.SourceSha256);
        Compare(done, network, network == "dinov3" ? Sizes16 : Sizes14);
    }

    [Fact]
    public async Task A_network_of_any_size_is_left_as_it_is()
    {
        var done = await AddAsync("free");
        Assert.Null(done.Notice);
        Assert.Null(done.Manifest.SourceSha256);
        Assert.Equal(TransformerFiles.Read("free"), File.ReadAllBytes(done.File.Path));
        Compare(done, "free", Sizes14[0], Sizes14[^1]);
    }

    [Fact]
    public async Task The_same_file_gives_the_same_bytes()
    {
        Assert.True((await AddAsync("dinov2")).Changed);
        Assert.False((await AddAsync("dinov2")).Changed);
    }

    [Fact]
    public async Task Sizes_must_be_multiples_of_the_patch_and_the_nearest_one_is_named()
    {
        using var backbone = Load(await AddAsync("dinov2"));
        Assert.Equal((14, null), (backbone.SizeMultiple, backbone.FixedSize));
        Assert.Equal(
            (252, 266, 14),
            (backbone.GetNearestSize(256), backbone.GetNearestSize(260), backbone.GetNearestSize(3))
        );
        Assert.Contains(
            "252 is the nearest to 256",
            backbone.Validate(new FitSettings { ImageSize = 256, Dimensions = 24 }),
            StringComparison.Ordinal
        );
        Assert.Null(backbone.Validate(new FitSettings { ImageSize = 252, Dimensions = 24 }));
        Assert.Null(
            backbone.Validate(
                new FitSettings
                {
                    ImageSize = 256,
                    CropSize = 224,
                    Dimensions = 24,
                }
            )
        );
    }

    [Fact]
    public async Task Images_of_a_batch_are_those_of_the_image_alone()
    {
        using var backbone = Load(await AddAsync("dinov3"));
        var size = new Grid(64, 64);
        var image = RandomWeights.Image(size);
        var all = ChannelReduction.Draw(ReductionMethod.None, backbone.TapChannels, 0, 0);
        var compute = ComputeContext.OnThreadPool(BackboneFolder.Cpu.Threads);
        using var three = backbone.Extract([.. image, .. image.Reverse(), .. image], 3, size, all, compute);
        using var one = backbone.Extract(image, 1, size, all, compute);
        for (var tap = 0; tap < 3; tap++)
        for (var i = 0; i < one[0][tap].Values.Length; i++)
            Assert.Equal(one[0][tap].Values.Span[i], three[2][tap].Values.Span[i], 1e-4);
    }

    [Fact]
    public void A_number_of_tokens_that_the_manifest_does_not_expect_is_refused()
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "prefixTokens",
            folder.Put("own", TransformerFiles.Read("free"), """{ "prefixTokens": 5 }""").Refusal("own"),
            StringComparison.Ordinal
        );
        folder.Put("right", TransformerFiles.Read("free"), """{ "prefixTokens": 1 }""").Registry.Open("right");
    }

    [Fact]
    public void A_network_made_for_one_size_asks_to_be_added_where_it_was_only_copied()
    {
        using var folder = new BackboneFolder();
        Assert.Contains(
            "padim backbones add",
            folder.Put("own", TransformerFiles.Read("dinov2")).Refusal("own"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Tokens_of_any_layer_can_be_tapped_by_name()
    {
        using var folder = new BackboneFolder();
        var backbone = folder
            .Put("own", TransformerFiles.Read("free"), """{ "taps": [{ "tensor": "last_hidden_state" }] }""")
            .Registry.Open("own");
        Assert.Equal([new BackboneTap("last_hidden_state", 14, 16)], backbone.Taps);
        Assert.Equal(1, backbone.PrefixTokens);
        Assert.Contains(
            "2 axes",
            folder
                .Put("pooled", TransformerFiles.Read("free"), """{ "taps": [{ "tensor": "pooler_output" }] }""")
                .Refusal("pooled"),
            StringComparison.Ordinal
        );
    }

    private void Compare(Installation done, string network, params Grid[] sizes)
    {
        using var backbone = Load(done);
        Assert.Equal(3, backbone.Taps.Count);
        using var session = new GraphSession(backbone.ReadGraph()!.ToArray(), BackboneFolder.Cpu);
        foreach (var size in sizes)
        {
            var largest = 0.0;
            var block = 2;
            session.Run(
                RandomWeights.Image(size),
                size,
                (_, channels, values) =>
                    largest = Math.Max(
                        largest,
                        TorchTaps.Transformers.Deviation(network, size, $"block{block++}", channels, values)
                    )
            );
            output.WriteLine($"{done.File.Name} {size.Height} x {size.Width}: {largest:e1}");
            Assert.InRange(largest, 0, 1e-4);
        }
    }

    private Task<Installation> AddAsync(string file) =>
        new BackboneInstaller(
            [_folder.Combine("nets")],
            BackboneCatalogue.Known,
            BackboneFolder.Cpu,
            TimeProvider.System
        ).AddAsync(new InstallRequest(file, TransformerFiles.GetPath(file)), CancellationToken.None);

    private static Backbone Load(Installation done) => Backbone.Load(done.File, BackboneFolder.Cpu);
}
