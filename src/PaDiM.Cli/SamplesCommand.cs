using System.CommandLine;
using PaDiM.Cli.Samples;
using PaDiM.Engine.Files;
using PaDiM.Imaging;
using PaDiM.Imaging.Heatmaps;
using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// <c>padim samples DIR</c>: writes synthetic images in the layout of MVTec AD, to try everything without a camera.
/// </summary>
internal static class SamplesCommand
{
    private const int TrainingImages = 40,
        TestImagesPerKind = 5;

    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "Folder to write to." };
        var size = new Option<int>("--size")
        {
            Description = "Side of the images, in pixels.",
            DefaultValueFactory = _ => 512,
        };
        size.Require(value => value is >= 64 and <= 4096, "--size must be between 64 and 4096.");
        var command = new Command(
            "samples",
            "Write sample images: 40 good parts to fit, and good and defective parts to score."
        )
        {
            folder,
            size,
        };
        command.SetAction(arguments =>
        {
            var root = arguments.GetValue(folder)!;
            var side = arguments.GetValue(size);
            Parallel.For(
                0,
                TrainingImages,
                i =>
                    Write(
                        Path.Combine(root, "train", "good", $"{i:000}.png"),
                        new SampleFlange(i, SampleDefect.None, side).Render().Image
                    )
            );
            foreach (var defect in Enum.GetValues<SampleDefect>())
                WriteTests(root, defect, side);
            var perKind = $"{TestImagesPerKind} good parts and {TestImagesPerKind} per defect";
            AnsiConsole.MarkupLineInterpolated(
                $"{TrainingImages} good parts in [bold]{Path.Combine(root, "train", "good")}[/]"
            );
            AnsiConsole.MarkupLineInterpolated($"{perKind} in [bold]{Path.Combine(root, "test")}[/]");
            return ExitCode.Done;
        });
        return command;
    }

    private static void WriteTests(string root, SampleDefect defect, int side) =>
        Parallel.For(
            0,
            TestImagesPerKind,
            i =>
            {
                var name = defect == SampleDefect.None ? "good" : defect.ToString().ToLowerInvariant();
                var (image, mask) = new SampleFlange(TrainingImages + 10 * (int)defect + i, defect, side).Render();
                Write(Path.Combine(root, "test", name, $"{i:000}.png"), image);
                if (defect != SampleDefect.None)
                    Write(Path.Combine(root, "ground_truth", name, $"{i:000}_mask.png"), mask);
            }
        );

    private static void Write(string path, RgbImage image)
    {
        var png = ImageEncoder.EncodePng(image);
        AtomicFile.Write(path, stream => stream.Write(png));
    }
}
