using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Scoring;

namespace PaDiM.Core.Tests.InputChecks;

public sealed class InputProfileTests
{
    private static readonly InputTraits Usual = new(new Grid(2000, 80), 100, 40, 0.05, -3, 250);

    private static readonly InputProfile Profile = InputProfile.Estimate(
        [
            .. Enumerable
                .Range(-5, 11)
                .Select(i => Usual with { Brightness = 100 + i, Contrast = 40 + i, Sharpness = -3 + 0.02 * i }),
        ],
        [.. Enumerable.Range(0, 11).Select(i => 8 + 0.1 * i)]
    );

    [Fact]
    public void Training_images_have_no_warnings()
    {
        Assert.Empty(Codes(Usual));
        Assert.Empty(Codes(Usual with { Brightness = 95, Contrast = 35, Sharpness = -3.1 }));
        Assert.Null(Profile.CheckDistance(9));
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(1, 1)]
    [InlineData(2000, 80)]
    [InlineData(160, 4000)]
    [InlineData(83, 2000)]
    public void Another_size_is_a_warning(int width, int height) =>
        Assert.Equal(["size_differs"], Codes(Usual with { Size = new Grid(height, width) }));

    [Fact]
    public void A_pixel_more_or_an_unknown_size_is_none()
    {
        Assert.Empty(Codes(Usual with { Size = new Grid(2001, 81) }));
        Assert.Empty(Codes(Usual with { Size = null }));
    }

    [Fact]
    public void Sizes_may_vary_as_much_as_in_training()
    {
        var varied = InputProfile.Estimate(
            [Usual with { Size = new Grid(200, 100) }, Usual with { Size = new Grid(400, 300) }],
            [8, 9]
        );
        Assert.Empty(InputProfile.Check(varied, Usual with { Size = new Grid(450, 330) }));
        Assert.Single(InputProfile.Check(varied, Usual with { Size = new Grid(64, 64) }));
    }

    [Theory]
    [InlineData(40, 0.05, "too_dark")]
    [InlineData(0, 0.05, "too_dark")]
    [InlineData(180, 0.05, "overexposed")]
    [InlineData(120, 0.4, "overexposed")]
    public void Another_light_is_a_warning(double brightness, double white, string code) =>
        Assert.Equal([code], Codes(Usual with { Brightness = brightness, WhiteShare = white }));

    [Theory]
    [InlineData(40, -3.8)]
    [InlineData(3, 0)]
    public void An_image_without_detail_is_blurred(double contrast, double sharpness) =>
        Assert.Equal(["blurred"], Codes(Usual with { Contrast = contrast, Sharpness = sharpness }));

    [Fact]
    public void Few_grey_levels_are_a_warning_for_every_model()
    {
        var twelveBits = Usual with { Brightest = 15.9 };
        Assert.Equal(["low_range"], Codes(twelveBits));
        Assert.Equal("low_range", InputProfile.Check(null, twelveBits).Single().Code);
        Assert.Empty(InputProfile.Check(null, Usual with { Size = new Grid(1, 1), Brightness = 0 }));
    }

    [Fact]
    public void Distances_far_above_those_of_training_are_a_warning()
    {
        Assert.Null(Profile.CheckDistance(12));
        Assert.Null(Profile.CheckDistance(0));
        Assert.Equal("unlike_training", Profile.CheckDistance(20)!.Code);
    }

    [Fact]
    public void One_bad_training_image_switches_no_warning_off()
    {
        var spoiled = InputProfile.Estimate(
            [
                .. Enumerable.Range(-5, 11).Select(i => Usual with { Brightness = 100 + i }),
                Usual with
                {
                    Brightness = 2,
                },
            ],
            [.. Enumerable.Range(0, 11).Select(i => 8 + 0.1 * i), 200]
        );
        Assert.Equal("too_dark", InputProfile.Check(spoiled, Usual with { Brightness = 40 }).Single().Code);
        Assert.NotNull(spoiled.CheckDistance(40));
    }

    [Fact]
    public void The_median_ignores_a_defect_and_pixels_that_do_not_count()
    {
        var values = Enumerable.Repeat(5f, 64 * 64).ToArray();
        values.AsSpan(0, 64 * 20).Clear();
        values.AsSpan(64 * 20, 64 * 10).Fill(100);
        Assert.Equal(5, MedianDistance.Compute(new AnomalyMap(new Grid(64, 64), values)));
        Assert.Equal(0, MedianDistance.Compute(new AnomalyMap(new Grid(2, 2), new float[4])));
    }

    private static IEnumerable<string> Codes(InputTraits image) =>
        InputProfile.Check(Profile, image).Select(warning => warning.Code);
}
