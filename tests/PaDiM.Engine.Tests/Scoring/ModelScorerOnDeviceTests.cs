using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Scoring;

/// <summary>The whole walk of an image where the runtime scores on a device, with the CPU for one.</summary>
public sealed class ModelScorerOnDeviceTests : IDisposable
{
    private readonly BackboneRegistry _registry = new([], BackboneFolder.Cpu.WithDeviceScoring());

    private Backbone Backbone => _registry.Open(BackboneRegistry.DefaultName);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Aligned_and_masked_models_score_as_by_the_kernels(bool masked)
    {
        using var fits = new Fits();
        var settings = Fits.Settings with { ImageSize = MovedPlates.Side, Alignment = AlignmentMethod.Rigid };
        bool[]? ignored = masked
            ? [.. Enumerable.Range(0, MovedPlates.Side * MovedPlates.Side).Select(i => i % MovedPlates.Side < 30)]
            : null;
        var model = fits.Run(
            [.. Enumerable.Range(0, 12).Select(seed => fits.Image(MovedPlates.Good(seed).ToBmp()))],
            settings: settings,
            ignored: ignored
        );
        var kernels = new ModelScorer(model, Fits.Tiny);
        using var scorer = ModelScorer.Open(model, Backbone);
        Assert.True(scorer.DeviceBytes > 0);
        foreach (var seed in Enumerable.Range(100, 4))
        {
            var image = TestDecoder.Image(MovedPlates.Blotted(seed).Image.ToBmp());
            var expected = kernels.Score(image, out var placement);
            var actual = scorer.Score(image, out var same);
            Assert.Equal(placement, same);
            Assert.NotEqual(RigidTransform.Identity, placement);
            Assert.All(
                expected.Values.Zip(actual.Values),
                pair => Assert.Equal(pair.First, pair.Second, 1e-3 * pair.First + 1e-6)
            );
        }
    }

    [Theory]
    [MemberData(nameof(ExportCase.Shapes), MemberType = typeof(ExportCase))]
    public void Models_of_every_shape_score_as_by_the_kernels(
        AspectMode aspect,
        int width,
        int height,
        int? crop,
        ImageScoreMethod method,
        bool masked
    )
    {
        var settings = ExportCase.ShapedSettings(aspect, width, height, crop) with { ImageScore = method };
        var made = new ExportCase(settings, masked: masked, backbone: Backbone);
        using var scorer = ModelScorer.Open(made.Model, Backbone);
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
        foreach (var image in ExportCase.Images(2))
        {
            Assert.All(
                made.Expected([image])[0].Values.Zip(scorer.Score(image).Values),
                pair => Assert.Equal(pair.First, pair.Second, 1e-3 * pair.First + 1e-6)
            );
            Assert.Equal(
                made.Scorer.ComputeScore(image, OnThreadPool.Context),
                scorer.ComputeScore(image, OnThreadPool.Context),
                1e-2
            );
        }
    }

    [Fact]
    public void A_model_of_the_kernels_passes_its_self_test_and_one_with_another_score_fails_it()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 8), backbone: Backbone);
        using var scorer = ModelScorer.Open(model, Backbone);
        Assert.Null(SelfTest.Validate(scorer, OnThreadPool.Context));
        using var wrong = ModelScorer.Open(
            model with
            {
                GoldenImages = [model.GoldenImages[0] with { Score = 2 * model.GoldenImages[0].Score }],
            },
            Backbone
        );
        Assert.NotNull(SelfTest.Validate(wrong, OnThreadPool.Context));
    }

    [Fact]
    public void A_fit_is_the_same_bytes_as_where_the_kernels_score()
    {
        using var here = new Fits();
        using var there = new Fits();
        Assert.Equal(
            Fits.Bytes(here.Run(here.Parts(0, 6))),
            Fits.Bytes(there.Run(there.Parts(0, 6), backbone: Backbone))
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shared_positions_score_as_by_the_kernels_and_take_one_factor(bool masked)
    {
        using var fits = new Fits();
        var side = Fits.Settings.ImageSize;
        bool[]? ignored = masked ? [.. Enumerable.Range(0, side * side).Select(i => i % side < 20)] : null;
        var model = fits.Run(
            fits.Parts(0, 4),
            settings: Fits.Settings with
            {
                Positions = PatchPositions.Shared,
            },
            ignored: ignored
        );
        using var scorer = ModelScorer.Open(model, Backbone);
        var image = TestDecoder.Image(SyntheticParts.Defective(200, DefectKind.Scratch, 72).Image.ToBmp());
        Assert.All(
            new ModelScorer(model, Fits.Tiny).Score(image).Values.Zip(scorer.Score(image).Values),
            pair => Assert.Equal(pair.First, pair.Second, 1e-3 * pair.First + 1e-6)
        );
        var d = model.Distribution.Dimensions;
        Assert.Equal(
            sizeof(float) * d * (d + 1),
            ModelScorer.EstimateDeviceBytes(Backbone.Runtime, model.Distribution.GaussianCount, d)
        );
    }

    [Fact]
    public void A_disposed_one_goes_on_with_the_kernels()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 6));
        var image = TestDecoder.Image(MovedPlates.Good(1).ToBmp());
        var scorer = ModelScorer.Open(model, Backbone);
        Assert.Equal(scorer.DeviceBytes + model.Bytes, scorer.Bytes);
        var score = scorer.Score(image).Max();
        scorer.Dispose();
        Assert.Equal((0, model.Bytes), (scorer.DeviceBytes, scorer.Bytes));
        Assert.False(scorer.TryScoreOnDevice(new float[scorer.Embedder.PreparedLength], 1, out _));
        Assert.Equal(new ModelScorer(model, Fits.Tiny).Score(image).Values, scorer.Score(image).Values);
        Assert.Equal(score, scorer.Score(image).Max(), 1e-3 * score);
    }

    [Fact]
    public void What_it_takes_is_known_before_but_for_what_is_small()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 6));
        using var scorer = ModelScorer.Open(model, Backbone);
        var estimate = ModelScorer.EstimateDeviceBytes(
            Backbone.Runtime,
            model.Distribution.GaussianCount,
            model.Distribution.Dimensions
        );
        Assert.InRange(scorer.DeviceBytes, estimate, estimate * 1.1);
        Assert.Equal(
            0,
            ModelScorer.EstimateDeviceBytes(
                Fits.Tiny.Runtime,
                model.Distribution.GaussianCount,
                model.Distribution.Dimensions
            )
        );
        using var onHost = ModelScorer.Open(model, Fits.Tiny);
        Assert.Equal(0, onHost.DeviceBytes);
    }

    [Fact]
    public void Only_one_models_images_share_a_batch()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 6));
        using var one = ModelScorer.Open(model, Backbone);
        using var other = ModelScorer.Open(model, Backbone);
        Assert.True(one.SharesBatchesWith(one));
        Assert.False(one.SharesBatchesWith(other));
        Assert.True(new ModelScorer(model, Fits.Tiny).SharesBatchesWith(new ModelScorer(model, Fits.Tiny)));
    }

    public void Dispose() => _registry.Dispose();
}
