using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Scoring;

public sealed class SelfTestTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(30)]
    public void A_model_agrees_with_itself_also_after_writing_and_reading_back(int images)
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, images));
        Assert.Equal(Math.Min(3, images), model.GoldenImages.Count);
        Assert.Null(FindDeviation(model));
        Assert.Null(FindDeviation(Fits.Reread(model)));
    }

    [Fact]
    public void A_cropped_masked_and_shrunk_model_agrees_with_itself_too()
    {
        using var fits = new Fits();
        var settings = Fits.Settings with { CropSize = 48, Shrinkage = ShrinkageMethod.Oas };
        var model = fits.Run(
            fits.Parts(0, 6),
            settings: settings,
            ignored: [.. Enumerable.Range(0, 64 * 64).Select(p => p % 64 < 30)]
        );
        Assert.Equal(64 * 64 * 3, model.GoldenImages[0].Pixels.Length);
        Assert.Null(FindDeviation(Fits.Reread(model)));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(9)]
    public void Golden_images_are_those_of_the_smallest_the_middle_and_the_largest_leave_one_out_score(int images)
    {
        using var fits = new Fits();
        // Parts of the image size: what the model keeps is the photograph itself.
        var parts = Enumerable
            .Range(0, images)
            .Select(seed => SyntheticParts.Good(seed, Fits.Settings.ImageSize))
            .ToDictionary(part => fits.Image(part.ToBmp()).Sha256);
        var model = fits.Run([.. parts.Values.Select(part => fits.Image(part.ToBmp()))]);
        var order = model
            .TrainingImages.Zip(model.Calibration.Scores)
            .OrderBy(image => image.Second)
            .Select(image => image.First)
            .ToArray();
        Assert.Equal(
            [order[0], order[images / 2], order[^1]],
            model.GoldenImages.Select(golden =>
                parts.Single(part => part.Value.Pixels.SequenceEqual(golden.Pixels)).Key
            )
        );
        var scorer = new ModelScorer(model, Fits.Tiny);
        Assert.All(model.GoldenImages, golden => Assert.Equal(scorer.Score(Image(golden.Pixels)).Max(), golden.Score));
    }

    [Theory]
    [InlineData(1.05f)]
    [InlineData(0.95f)]
    [InlineData(0)]
    public void Another_score_is_found_and_the_sentence_names_both_scores_the_image_and_the_device(float factor)
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 8));
        var right = model.GoldenImages[1].Score;
        var wrong = model.GoldenImages[1].Score * factor;
        var sentence = FindDeviation(
            model with
            {
                GoldenImages =
                [
                    model.GoldenImages[0],
                    model.GoldenImages[1] with
                    {
                        Score = wrong,
                    },
                    model.GoldenImages[2],
                ],
            }
        );
        Assert.NotNull(sentence);
        Assert.Contains("golden image 2 of 3", sentence, StringComparison.Ordinal);
        Assert.Contains(
            FormattableString.Invariant($"the score {right:g6} on {Fits.Tiny.Runtime.Device}, {wrong:g6} is right"),
            sentence,
            StringComparison.Ordinal
        );
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.005f)]
    [InlineData(0.995f)]
    public void What_rounding_may_change_is_no_deviation(float factor)
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 8));
        Assert.Null(
            FindDeviation(
                model with
                {
                    GoldenImages =
                    [
                        .. model.GoldenImages.Select(golden => golden with { Score = golden.Score * factor }),
                    ],
                }
            )
        );
    }

    [Fact]
    public void Exchanged_pixels_are_found()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 8));
        var golden = model.GoldenImages[0];
        Assert.NotNull(
            FindDeviation(model with { GoldenImages = [golden with { Pixels = SyntheticParts.Good(99, 64).Pixels }] })
        );
        // Blue first, as a preparation that mistakes the order of channels would have it.
        byte[] swapped = [.. golden.Pixels.Chunk(3).SelectMany(pixel => pixel.Reverse())];
        Assert.NotNull(FindDeviation(model with { GoldenImages = [golden with { Pixels = swapped }] }));
    }

    [Theory]
    [InlineData(6, 1.05f)]
    [InlineData(6, float.NaN)]
    [InlineData(30, 1.05f)]
    [InlineData(30, float.NaN)]
    public void Changed_weights_are_found(int images, float factor)
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, images));
        PatchDistribution changed = model.Distribution switch
        {
            QuantisedDistribution full => new QuantisedDistribution(
                full.Grid,
                full.Dimensions,
                full.Mean,
                full.Whitening,
                Times(full.Scale, factor)
            ),
            LowRankDistribution low => new LowRankDistribution(
                low.Grid,
                low.Dimensions,
                low.Rank,
                low.Mean,
                low.Basis,
                Times(low.Whitening.ToArray(), factor),
                low.Ridge
            ),
            _ => throw new InvalidOperationException(),
        };
        Assert.Equal(images > 24, changed is QuantisedDistribution);
        Assert.NotNull(FindDeviation(model with { Distribution = changed }));
    }

    [Fact]
    public void A_model_that_keeps_no_images_passes()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 3)) with { GoldenImages = [] };
        Assert.Null(FindDeviation(model));
        Assert.Null(FindDeviation(Fits.Reread(model)));
    }

    private static string? FindDeviation(PadimModel model) =>
        SelfTest.Validate(new ModelScorer(model, Fits.Tiny), OnThreadPool.Context);

    private static PaDiM.Imaging.RgbImage Image(byte[] pixels) =>
        new(Fits.Settings.ImageSize, Fits.Settings.ImageSize, pixels);

    /// <summary>Scales are bfloat16: the upper halves of floats.</summary>
    private static ushort[] Times(ReadOnlyMemory<ushort> values, float factor) =>
        Array.ConvertAll(
            values.ToArray(),
            value =>
                (ushort)(
                    BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle((uint)value << 16) * factor) >> 16
                )
        );

    private static float[] Times(float[] values, float factor) => Array.ConvertAll(values, value => value * factor);
}
