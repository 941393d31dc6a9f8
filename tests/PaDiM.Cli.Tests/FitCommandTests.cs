using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests;

public sealed class FitCommandTests(FittedModel model) : IClassFixture<FittedModel>
{
    [Fact]
    public void A_fit_reports_its_result_and_repeats_byte_for_byte()
    {
        Assert.Contains("16 images", model.FitOutput, StringComparison.Ordinal);
        Assert.Contains(model.File, model.FitOutput, StringComparison.Ordinal);
        using var folder = new TempDirectory();
        Padim
            .Run(
                "fit",
                model.GoodParts,
                "-o",
                folder.Combine("again"),
                "--image-size",
                "64",
                "--dimensions",
                "30",
                "--threads",
                "1"
            )
            .Succeeded();
        Assert.Equal(File.ReadAllBytes(model.File), File.ReadAllBytes(folder.Combine("again")));
    }

    [Theory]
    [InlineData("none", 16)]
    [InlineData("0", 16)]
    [InlineData("32", 8)]
    public void A_given_option_overrides_the_profile(string crop, int positions)
    {
        using var folder = new TempDirectory();
        var ran = Padim
            .Run(
                "fit",
                model.GoodParts,
                "--out",
                folder.Combine("m"),
                "--profile",
                "paper",
                "--image-size",
                "64",
                "--crop-size",
                crop,
                "--dimensions",
                "10"
            )
            .Succeeded();
        Assert.Contains($"{positions} x {positions} positions", ran.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stretch", "16 x 24 positions")]
    [InlineData("letterbox", "16 x 24 positions")]
    [InlineData("crop", "16 x 24 positions")]
    public void Two_sides_make_any_shape(string aspect, string positions)
    {
        using var folder = new TempDirectory();
        string[] sides = ["--image-width", "96", "--image-height", "64", "--aspect", aspect];
        var fitted = Padim
            .Run(["fit", model.GoodParts, "--out", folder.Combine("m"), "--dimensions", "10", .. sides])
            .Succeeded();
        Assert.Contains(positions, fitted.Output, StringComparison.Ordinal);
        Padim.Run("score", folder.Combine("m"), model.GoodParts, "--heatmap", folder.Combine("h")).Succeeded();
    }

    [Theory]
    [InlineData("belong together", "--image-width", "96")]
    [InlineData("square", "--image-width", "96", "--image-height", "64", "--image-size", "64")]
    [InlineData("64", "--image-width", "96", "--image-height", "64", "--crop-size", "80")]
    [InlineData("between 32 and 2048", "--image-width", "96", "--image-height", "31")]
    public void Sizes_that_contradict_each_other_are_wrong_usage(string named, params string[] sizes)
    {
        using var folder = new TempDirectory();
        var refused = Padim.Run(["fit", model.GoodParts, "--out", folder.Combine("m"), .. sizes]);
        Assert.Contains(named, refused.Failed(2), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fit_that_exceeds_memory_is_refused_before_it_starts()
    {
        using var folder = new TempDirectory();
        Assert.Contains(
            "512 x 512 positions",
            Padim
                .Run(
                    "fit",
                    model.GoodParts,
                    "--out",
                    folder.Combine("m"),
                    "--image-size",
                    "2048",
                    "--dimensions",
                    "288"
                )
                .Failed(1),
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(folder.Combine("m")));
    }

    [Fact]
    public void Duplicates_are_skipped_and_reported()
    {
        using var folder = new TempDirectory();
        FittedModel.Write(folder.Combine("parts"), 0, 3);
        File.Copy(folder.Combine("parts", "part000.bmp"), folder.Combine("parts", "copy.bmp"));
        Assert.Contains(
            "3 images (1 duplicates skipped)",
            Padim
                .Run("fit", folder.Combine("parts"), "--out", folder.Combine("m"), "--image-size", "32")
                .Succeeded()
                .Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_unreadable_image_is_reported_by_its_file_and_leaves_no_model()
    {
        using var folder = new TempDirectory();
        FittedModel.Write(folder.Combine("parts"), 0, 3);
        File.WriteAllText(folder.Combine("parts", "broken.png"), "not an image");
        Assert.Contains(
            "broken.png",
            Padim.Run("fit", folder.Combine("parts"), "--out", folder.Combine("m"), "--image-size", "32").Failed(1),
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(folder.Combine("m")));
    }

    [Fact]
    public void Too_few_images_too_many_dimensions_and_unknown_names_fail_with_one_sentence()
    {
        using var folder = new TempDirectory();
        FittedModel.Write(folder.Combine("one"), 0, 1);
        Assert.Contains(
            "at least 2 images",
            Padim.Run("fit", folder.Combine("one"), "--out", folder.Combine("m")).Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "448 channels",
            Padim.Run("fit", model.GoodParts, "--out", folder.Combine("m"), "--dimensions", "1000").Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'resnet9000'",
            Padim.Run("fit", model.GoodParts, "--out", folder.Combine("m"), "--backbone", "resnet9000").Failed(1),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "nothere",
            Padim.Run("fit", folder.Combine("nothere"), "--out", folder.Combine("m")).Failed(1),
            StringComparison.Ordinal
        );
        Directory.CreateDirectory(folder.Combine("taken"));
        Padim.Run("fit", model.GoodParts, "--out", folder.Combine("taken"), "--image-size", "32").Failed(1);
    }

    [Fact]
    public void A_backbone_of_fixed_size_reports_its_size()
    {
        using var folder = new TempDirectory();
        File.WriteAllBytes(folder.Combine("fixed.onnx"), OnnxGraph.Classifier(1, 3, 96, 96).ToArray());
        string[] arguments =
        [
            "fit",
            model.GoodParts,
            "--out",
            folder.Combine("m"),
            "--backbones",
            folder.Path,
            "--backbone",
            "fixed",
            "--dimensions",
            "5",
        ];
        Assert.Contains(
            "Set the image size, or the crop size, to 96",
            Padim.Run(arguments).Failed(1),
            StringComparison.Ordinal
        );
        Padim.Run([.. arguments, "--image-size", "96"]).Succeeded();
        Padim.Run("score", folder.Combine("m"), model.GoodParts, "--backbones", folder.Path).Succeeded();
        Assert.Contains(
            "'fixed'",
            Padim.Run("score", folder.Combine("m"), model.GoodParts).Failed(1),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_backbone_that_is_not_a_network_is_refused_by_name()
    {
        using var folder = new TempDirectory();
        File.WriteAllText(folder.Combine("mine.onnx"), "no network");
        Assert.Contains(
            "'mine'",
            Padim
                .Run(
                    "fit",
                    model.GoodParts,
                    "--out",
                    folder.Combine("m"),
                    "--backbones",
                    folder.Path,
                    "--backbone",
                    "mine"
                )
                .Failed(1),
            StringComparison.Ordinal
        );
    }
}
