using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Tests.Models;

public sealed class FitEstimateTests
{
    private static readonly Grid Patches = new(64, 64);

    [Fact]
    public void The_statistics_of_the_paper_s_largest_model_fit_into_8_GiB()
    {
        var estimate = FitEstimate.Create(new FitSettings(), Patches, 550, 200);
        Assert.Equal(8L * 4096 * (550 + 151_525), estimate.StatisticsBytes);
        Assert.Equal(4096L * (4 * 550 + 2 * (151_525 + 550)), estimate.ModelBytes);
        Assert.Equal(
            4096L * (4 * 550 + 4 * (19 * 550 + 190)),
            FitEstimate.Create(new FitSettings(), Patches, 550, 20).ModelBytes
        );
        Assert.Null(FitEstimate.Create(new FitSettings(), Patches, 550, 1000).ValidateMemory(8L << 30));
    }

    [Fact]
    public void What_memory_does_not_hold_is_refused_with_both_figures()
    {
        var misfit = FitEstimate.Create(new FitSettings(), Patches, 550, null).ValidateMemory(4L << 30);
        Assert.Contains("64 x 64 positions and 550 dimensions requires", misfit, StringComparison.Ordinal);
        Assert.Contains("4.0 GiB are available", misfit, StringComparison.Ordinal);
    }

    [Fact]
    public void Scatters_beyond_one_array_are_refused_whatever_the_memory() =>
        Assert.Contains(
            "are supported",
            FitEstimate.Create(new FitSettings(), new Grid(512, 512), 1000, null).ValidateMemory(long.MaxValue),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_ridge_that_depends_on_the_image_left_out_takes_the_factors_of_reflections()
    {
        var shared = FitSettings.Paper with { CropSize = null };
        var memory = FitEstimate.Create(shared, Patches, 100, 50).MemoryBytes;
        foreach (
            var settings in new[]
            {
                new FitSettings(),
                shared with
                {
                    RelativeRidge = 0.5,
                },
                shared with
                {
                    Shrinkage = ShrinkageMethod.Oas,
                },
                shared with
                {
                    Shrinkage = ShrinkageMethod.Auto,
                },
            }
        )
            Assert.Equal(memory + 8L * 4096 * 100, FitEstimate.Create(settings, Patches, 100, 50).MemoryBytes);
        Assert.Equal(memory, FitEstimate.Create(shared with { QuietExponent = 1.5 }, Patches, 100, 50).MemoryBytes);
    }

    [Fact]
    public void Shared_positions_take_one_Gaussian_whatever_the_image_size()
    {
        var settings = new FitSettings { Positions = PatchPositions.Shared };
        var estimate = FitEstimate.Create(settings, Patches, 100, 3);
        Assert.Equal(8L * (100 + 5050), estimate.StatisticsBytes);
        Assert.Equal(4L * 100 + 2 * (5050 + 100), estimate.ModelBytes);
        Assert.Equal(
            (estimate.StatisticsBytes, estimate.ModelBytes),
            FitEstimate.Create(settings, new Grid(512, 512), 100, 300) is var large
                ? (large.StatisticsBytes, large.ModelBytes)
                : default
        );
        Assert.Null(FitEstimate.Create(settings, new Grid(512, 512), 1000, null).ValidateMemory(8L << 30));
    }

    [Fact]
    public void A_large_image_with_a_Gaussian_per_position_is_refused_with_what_to_do_instead()
    {
        var settings = new FitSettings { ImageSize = 2048, Tiles = new TileSettings(256, 64) };
        var own = FitEstimate.Create(settings, new Grid(512, 512), 100, null);
        Assert.Equal(8L * 512 * 512 * 5150, own.StatisticsBytes);
        Assert.EndsWith(
            "Use positions: shared, fewer dimensions or a smaller image size.",
            own.ValidateMemory(8L << 30),
            StringComparison.Ordinal
        );
        settings = settings with { Positions = PatchPositions.Shared };
        Assert.Null(FitEstimate.Create(settings, new Grid(512, 512), 100, null).ValidateMemory(4L << 30));
        Assert.EndsWith(
            "supported. Use fewer dimensions or a smaller image size.",
            FitEstimate.Create(settings, new Grid(2048, 2048), 600, null).ValidateMemory(long.MaxValue),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(512, 100, 5)]
    [InlineData(512, 1000, 1)]
    public void Large_images_in_tiles_go_one_by_one_if_need_be(int side, int d, int batch) =>
        Assert.Equal(batch, FitEstimate.GetBatchSize(new Grid(side, side), d, isTiled: true));

    [Theory]
    [InlineData(64, 100, 32)]
    [InlineData(64, 550, 32)]
    [InlineData(512, 100, 5)]
    [InlineData(512, 1000, 4)]
    public void Large_embeddings_go_in_smaller_batches(int side, int d, int batch) =>
        Assert.Equal(batch, FitEstimate.GetBatchSize(new Grid(side, side), d));

    [Fact]
    public void Embeddings_grow_with_the_images_and_memory_does_not()
    {
        var few = FitEstimate.Create(new FitSettings(), Patches, 100, 50);
        var many = FitEstimate.Create(new FitSettings(), Patches, 100, 400);
        Assert.Equal(few.MemoryBytes, many.MemoryBytes);
        Assert.Equal(8 * few.EmbeddingBytes, many.EmbeddingBytes);
        Assert.Equal(
            few.EmbeddingBytes,
            FitEstimate.Create(new FitSettings(), Patches, 100, 400, embedded: 50).EmbeddingBytes
        );
        Assert.Equal(many.StatisticsBytes + many.ModelBytes + many.EmbeddingBytes, many.DiskBytes);
    }
}
