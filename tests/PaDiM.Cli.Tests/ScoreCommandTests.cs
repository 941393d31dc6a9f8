using System.Text.Json;
using PaDiM.Cli.Tests.Support;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Cli.Tests;

public sealed class ScoreCommandTests(FittedModel model) : IClassFixture<FittedModel>
{
    [Fact]
    public void Json_is_one_object_per_line_with_scores_decisions_and_regions()
    {
        using var folder = new TempDirectory();
        FittedModel.Write(folder.Combine("new"), 100, 3);
        FittedModel.WriteDefective(folder.Combine("new", "worn.bmp"), 200);
        var lines = Padim
            .Run("score", model.File, folder.Combine("new"), "--json")
            .Succeeded()
            .Lines.Select(line => JsonDocument.Parse(line).RootElement)
            .ToArray();
        Assert.Equal(4, lines.Length);
        Assert.All(
            lines,
            line =>
                Assert.True(
                    line.GetProperty("score").GetDouble() > 0 && line.GetProperty("pValue").GetDouble() is > 0 and <= 1
                )
        );
        var worn = lines.Single(line =>
            line.GetProperty("image").GetString()!.EndsWith("worn.bmp", StringComparison.Ordinal)
        );
        Assert.Equal("anomalous", worn.GetProperty("decision").GetString());
        Assert.True(worn.GetProperty("score").GetDouble() >= worn.GetProperty("threshold").GetDouble());
        Assert.All(lines, line => Assert.Empty(line.GetProperty("warnings").EnumerateArray()));
        var region = worn.GetProperty("regions").EnumerateArray().First();
        Assert.InRange(region.GetProperty("x").GetInt32() + region.GetProperty("width").GetInt32(), 1, 80);
        Assert.Equal(worn.GetProperty("score").GetDouble(), lines.Max(line => line.GetProperty("score").GetDouble()));
        Assert.Equal(
            worn.GetProperty("score").GetDouble() / worn.GetProperty("threshold").GetDouble(),
            worn.GetProperty("scoreRatio").GetDouble()
        );
        Assert.InRange(worn.GetProperty("defectAreaPercent").GetDouble(), 0.01, 100);
        Assert.False(region.TryGetProperty("contour", out _));
    }

    [Fact]
    public void A_region_is_fitted_and_its_results_are_in_pixels_of_the_photograph()
    {
        using var folder = new TempDirectory();
        var file = folder.Combine("box.safetensors");
        Padim
            .Run(
                "fit",
                model.GoodParts,
                "--out",
                file,
                "--region",
                "0.5,0.5,0.5,0.5",
                "--image-size",
                "64",
                "--dimensions",
                "20"
            )
            .Succeeded();
        FittedModel.WriteDefective(folder.Combine("worn.bmp"), 200);
        var line = JsonDocument
            .Parse(Padim.Run("score", file, folder.Combine("worn.bmp"), "--json").Succeeded().Output)
            .RootElement;
        foreach (var region in line.GetProperty("regions").EnumerateArray())
        {
            Assert.InRange(region.GetProperty("x").GetInt32(), 40, 79);
            Assert.InRange(region.GetProperty("y").GetInt32(), 40, 79);
        }
        var beyond = Padim.Run("fit", model.GoodParts, "--out", file, "--region", "0.5,0.5,0.6,0.5").Failed(2);
        Assert.Contains("region.x + region.width", beyond, StringComparison.Ordinal);
        foreach (var box in new[] { "0.5,0.5", "left" })
            Assert.Contains(
                "--region must be",
                Padim.Run("fit", model.GoodParts, "--out", file, "--region", box).Failed(2),
                StringComparison.Ordinal
            );
    }

    [Fact]
    public void A_camera_of_twelve_bits_is_declared_to_the_model_or_to_the_score()
    {
        using var folder = new TempDirectory();
        Directory.CreateDirectory(folder.Combine("good"));
        for (var seed = 0; seed < 8; seed++)
            WriteDeep(folder.Combine("good", $"{seed}.ppm"), SyntheticParts.Good(seed, 80), 12);
        var part = SyntheticParts.Defective(200, DefectKind.Dent, 80).Image;
        File.WriteAllBytes(folder.Combine("part.bmp"), part.ToBmp());
        WriteDeep(folder.Combine("part.ppm"), part, 12);

        var expected = Score(model.File, "part.bmp");
        Assert.Equal(expected, Score(model.File, "part.ppm", "--significant-bits", "12"));
        Assert.NotEqual(expected, Score(model.File, "part.ppm"));
        var refused = Padim.Run("score", model.File, folder.Combine("part.ppm"), "--json", "--significant-bits", "10");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("1023", refused.Output, StringComparison.Ordinal);
        foreach (var bits in new[] { "7", "17" })
            Assert.Contains(
                "between 8 and 16",
                Padim.Run("score", model.File, folder.Combine("part.ppm"), "--significant-bits", bits).Failed(2),
                StringComparison.Ordinal
            );

        var file = folder.Combine("deep.safetensors");
        Padim
            .Run(
                "fit",
                folder.Combine("good"),
                "--out",
                file,
                "--image-size",
                "64",
                "--dimensions",
                "20",
                "--significant-bits",
                "12"
            )
            .Succeeded();
        Assert.Equal(Score(file, "part.bmp"), Score(file, "part.ppm"));
        Assert.NotEqual(Score(file, "part.bmp"), Score(file, "part.ppm", "--significant-bits", "16"));

        double Score(string fitted, string name, params string[] options) =>
            JsonDocument
                .Parse(
                    Assert.Single(
                        Padim.Run(["score", fitted, folder.Combine(name), "--json", .. options]).Succeeded().Lines
                    )
                )
                .RootElement.GetProperty("score")
                .GetDouble();

        static void WriteDeep(string path, RgbImage image, int bits) =>
            File.WriteAllBytes(
                path,
                [
                    .. System.Text.Encoding.ASCII.GetBytes($"P6 {image.Width} {image.Height} 65535\n"),
                    .. image
                        .Pixels.Select(v => (int)Math.Round(v * ((1 << bits) - 1) / 255.0))
                        .SelectMany(v => new[] { (byte)(v >> 8), (byte)v }),
                ]
            );
    }

    [Fact]
    public void A_file_with_faults_that_cost_no_pixel_says_so()
    {
        using var folder = new TempDirectory();
        FittedModel.WriteDefective(folder.Combine("worn.bmp"), 200);
        var decoded = new ImageDecoder().Decode(File.ReadAllBytes(folder.Combine("worn.bmp")));
        var whole = ImageEncoder.EncodePicture(Assert.IsType<DecodeResult.Decoded>(decoded).Image, PictureFormat.Jpeg);
        File.WriteAllBytes(folder.Combine("repaired.jpg"), [.. whole[..2], 0, 0, 0, .. whole[2..]]);
        var line = Padim.Run("score", model.File, folder.Combine("repaired.jpg"), "--json").Succeeded().Lines.Single();
        var warnings = JsonDocument.Parse(line).RootElement.GetProperty("warnings");
        Assert.Equal("file_repaired", Assert.Single(warnings.EnumerateArray()).GetProperty("code").GetString());
    }

    [Fact]
    public void Contours_and_masks_are_written_on_request()
    {
        using var folder = new TempDirectory();
        FittedModel.WriteDefective(folder.Combine("worn.bmp"), 200);
        var line = Padim
            .Run(
                "score",
                model.File,
                folder.Combine("worn.bmp"),
                "--json",
                "--contours",
                "--heatmap",
                folder.Combine("masks"),
                "--heatmap-style",
                "mask"
            )
            .Succeeded()
            .Lines.Single();
        var worn = JsonDocument.Parse(line).RootElement;
        var contour = worn.GetProperty("regions")[0].GetProperty("contour");
        Assert.InRange(contour.GetArrayLength(), 3, 200);
        using var mask = NetVips.Image.NewFromFile(worn.GetProperty("heatmap").GetString()!);
        Assert.Equal((1, 255, 0), (mask.Bands, mask.Max(), mask.Min()));
    }

    [Fact]
    public void The_table_has_one_line_per_image()
    {
        using var folder = new TempDirectory();
        var deep = folder.Combine(
            "a-folder-with-a-name-that-is-rather-long",
            "and-another-one-below-it-as-cameras-make-them"
        );
        FittedModel.Write(deep, 100, 2);
        var ran = Padim.Run("score", model.File, deep).Succeeded();
        Assert.Contains(
            ran.Lines,
            line =>
                line.Contains(Path.Combine(deep, "part100.bmp"), StringComparison.Ordinal)
                && line.Contains("normal", StringComparison.Ordinal)
        );
        Assert.Contains("threshold", ran.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void One_heatmap_is_written_per_image_even_if_names_are_equal()
    {
        using var folder = new TempDirectory();
        FittedModel.Write(folder.Combine("left"), 100, 1);
        FittedModel.Write(folder.Combine("right"), 100, 1);
        File.Copy(folder.Combine("left", "part100.bmp"), folder.Combine("left", "part100.png"));
        var lines = Padim
            .Run(
                "score",
                model.File,
                folder.Combine("left"),
                folder.Combine("right"),
                "--heatmap",
                folder.Combine("maps"),
                "--json"
            )
            .Succeeded()
            .Lines;
        var written = lines
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("heatmap").GetString()!)
            .ToArray();
        Assert.Equal(3, written.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(
            written,
            path => Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(path)[..4])
        );
        Assert.Equal(3, Directory.EnumerateFiles(folder.Combine("maps"), "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public void A_bad_image_is_reported_with_its_reason_and_the_others_are_scored()
    {
        using var folder = new TempDirectory();
        FittedModel.Write(folder.Path, 100, 2);
        File.WriteAllBytes(folder.Combine("part100b.png"), [1, 2, 3]);
        File.WriteAllBytes(folder.Combine("part100c.bmp"), File.ReadAllBytes(folder.Combine("part100.bmp"))[..5000]);
        File.CreateSymbolicLink(folder.Combine("part100d.png"), folder.Combine("nowhere.png"));
        var ran = Padim.Run("score", model.File, folder.Path, "--json");
        Assert.Equal(1, ran.ExitCode);
        var lines = ran.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal([true, false, false, false, true], lines.Select(line => line.TryGetProperty("score", out _)));
        Assert.Contains("not a PNG", lines[1].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("truncated", lines[2].GetProperty("error").GetString(), StringComparison.Ordinal);
        var table = Padim.Run("score", model.File, folder.Path);
        Assert.Equal(1, table.ExitCode);
        Assert.Contains("2 normal, 3 unreadable", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_model_is_refused_with_one_sentence()
    {
        using var folder = new TempDirectory();
        var bytes = File.ReadAllBytes(model.File);
        bytes[^100] ^= 1;
        File.WriteAllBytes(folder.Combine("damaged.safetensors"), bytes);
        File.WriteAllText(folder.Combine("text.safetensors"), "this is no model");
        Assert.Contains(
            "damaged",
            Padim.Run("score", folder.Combine("damaged.safetensors"), model.GoodParts).Failed(1),
            StringComparison.Ordinal
        );
        Padim.Run("score", folder.Combine("text.safetensors"), model.GoodParts).Failed(1);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        Assert.Contains(
            "nothere.safetensors",
            Padim.Run("score", "nothere.safetensors", model.GoodParts).Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains("nothere", Padim.Run("score", model.File, "nothere").Failed(1), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_images_fails_with_a_message()
    {
        using var folder = new TempDirectory();
        File.WriteAllText(folder.Combine("notes.txt"), "no image");
        Assert.Contains("no images", Padim.Run("score", model.File, folder.Path).Failed(1), StringComparison.Ordinal);
        Assert.Contains(
            "no images",
            Padim.Run("fit", folder.Path, "--out", folder.Combine("m")).Failed(1),
            StringComparison.Ordinal
        );
    }
}
