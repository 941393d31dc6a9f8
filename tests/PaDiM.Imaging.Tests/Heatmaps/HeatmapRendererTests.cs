using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Imaging.Tests.Heatmaps;

public sealed class HeatmapRendererTests
{
    private const int Width = 50,
        Height = 30;
    private const double Threshold = 12;

    [Fact]
    public void A_calm_overlay_is_the_image_byte_for_byte()
    {
        var image = Samples.Noise(Width, Height);
        Assert.Equal(
            image.Pixels,
            Draw(image, (x, y) => 0.599f * (float)Threshold * x / Width, HeatmapStyle.Overlay).Pixels
        );
    }

    [Fact]
    public void An_overlay_colours_more_the_higher_the_score_and_outlines_the_threshold()
    {
        var image = new RgbImage(Width, Height, new byte[3 * Width * Height]);
        var drawn = Draw(image, (x, _) => (float)Threshold * 2 * x / Width, HeatmapStyle.Overlay);
        var brightness = Enumerable
            .Range(0, Width)
            .Select(x => drawn.Pixels.AsSpan(3 * (5 * Width + x), 3).ToArray().Sum(v => v))
            .ToArray();
        Assert.All(brightness[..(int)(0.3 * Width)], v => Assert.Equal(0, v));
        Assert.Equal(3 * 255, brightness[Width / 2]);
        Assert.All(brightness[(Width / 2 + 1)..], v => Assert.InRange(v, 100, 3 * 255 - 1));
        Assert.True(brightness[(int)(0.4 * Width)] < brightness[(int)(0.49 * Width)]);
    }

    [Fact]
    public void The_scale_has_the_threshold_in_its_middle_whatever_the_threshold()
    {
        foreach (var threshold in new[] { 0.5, 12, 4000 })
        {
            var image = Samples.Noise(Width, Height);
            var map = Map((x, _) => (float)(threshold * 2 * x / (Width - 1)));
            var drawn = TestDecoder.Image(
                HeatmapRenderer.Render(image, map, threshold, isAnomalous: true, HeatmapStyle.Map)
            );
            for (var x = 0; x < Width; x++)
                Assert.Equal(
                    Colormap.GetColour((float)x / (Width - 1)),
                    (drawn.Pixels[3 * x], drawn.Pixels[3 * x + 1], drawn.Pixels[3 * x + 2])
                );
        }
    }

    [Fact]
    public void A_map_shows_nothing_of_the_image() =>
        Assert.Equal(
            Draw(Samples.Noise(Width, Height, 1), (x, y) => x + y, HeatmapStyle.Map).Pixels,
            Draw(Samples.Noise(Width, Height, 2), (x, y) => x + y, HeatmapStyle.Map).Pixels
        );

    [Theory]
    [InlineData(HeatmapStyle.Overlay)]
    [InlineData(HeatmapStyle.Map)]
    public void The_same_input_gives_the_same_bytes_and_the_original_size(HeatmapStyle style)
    {
        var image = Samples.Noise(Width, Height);
        var map = Map((x, y) => x * y % 30);
        var png = HeatmapRenderer.Render(image, map, Threshold, isAnomalous: true, style);
        Assert.Equal(png, HeatmapRenderer.Render(image, map, Threshold, isAnomalous: true, style));
        var decoded = TestDecoder.Image(png);
        Assert.Equal((Width, Height), (decoded.Width, decoded.Height));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.PositiveInfinity)]
    public void A_threshold_out_of_the_ordinary_still_gives_a_picture(double threshold) =>
        TestDecoder.Image(
            HeatmapRenderer.Render(
                Samples.Noise(Width, Height),
                Map((x, y) => x + y),
                threshold,
                isAnomalous: true,
                HeatmapStyle.Overlay
            )
        );

    [Fact]
    public void A_map_of_another_size_is_an_error() =>
        Assert.Throws<ArgumentException>(() =>
            HeatmapRenderer.Render(
                Samples.Noise(Height, Width),
                Map((_, _) => 0),
                Threshold,
                isAnomalous: true,
                HeatmapStyle.Map
            )
        );

    private static AnomalyMap Map(Func<int, int, float> score) =>
        new(
            new Grid(Height, Width),
            [.. from y in Enumerable.Range(0, Height) from x in Enumerable.Range(0, Width) select score(x, y)]
        );

    private static RgbImage Draw(RgbImage image, Func<int, int, float> score, HeatmapStyle style) =>
        TestDecoder.Image(HeatmapRenderer.Render(image, Map(score), Threshold, isAnomalous: true, style));
}
