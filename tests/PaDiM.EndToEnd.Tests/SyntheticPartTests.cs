using System.Text.Json.Nodes;
using PaDiM.EndToEnd.Tests.Support;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport.Parts;

namespace PaDiM.EndToEnd.Tests;

/// <summary>Parts that need no files through the published program.</summary>
public sealed class SyntheticPartTests(PublishedService service) : IAsyncLifetime
{
    private const string Category = "discs";
    private const int UnseenSeed = 100;

    public async ValueTask InitializeAsync()
    {
        using var known = await service.Client.Http.GetAsync($"/v1/categories/{Category}/models/1");
        if (!known.IsSuccessStatusCode)
            await service.Client.PrepareSyntheticAsync(Category);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_good_part_is_normal_and_shows_no_region()
    {
        var result = await service.Client.ScoreAsync(Category, SyntheticParts.Good(UnseenSeed).ToBmp());

        Assert.Equal("normal", (string?)result["decision"]);
        Assert.True((double)result["score"]! < (double)result["threshold"]!);
        Assert.Empty(result["regions"]!.AsArray());
    }

    [Theory]
    [InlineData(DefectKind.Scratch)]
    [InlineData(DefectKind.Dent)]
    public async Task A_defective_part_is_anomalous_where_its_defect_is(DefectKind kind)
    {
        var part = SyntheticParts.Defective(UnseenSeed, kind);

        var result = await service.Client.ScoreAsync(Category, part.Image.ToBmp());

        Assert.Equal("anomalous", (string?)result["decision"]);
        Assert.True((double)result["score"]! >= (double)result["threshold"]!);
        Assert.Contains(result["regions"]!.AsArray(), region => Overlaps(region!, part));
    }

    [Fact]
    public async Task The_overlay_is_a_PNG_of_the_original_size()
    {
        const int side = 144;
        var part = SyntheticParts.Defective(UnseenSeed, DefectKind.Scratch, side);

        var overlay = await service.Client.ScoreOverlayAsync(Category, part.Image.ToBmp());

        var decoded = Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(overlay));
        Assert.Equal(ImageFormat.Png, decoded.Format);
        Assert.Equal((side, side), (decoded.Image.Width, decoded.Image.Height));
        Assert.NotEqual(part.Image.Pixels, decoded.Image.Pixels);
    }

    private static bool Overlaps(JsonNode region, DefectivePart part)
    {
        var left = (int)region["x"]!;
        var top = (int)region["y"]!;
        for (var y = top; y < top + (int)region["height"]!; y++)
        for (var x = left; x < left + (int)region["width"]!; x++)
            if (part.Mask[y * part.Image.Width + x])
                return true;
        return false;
    }
}
