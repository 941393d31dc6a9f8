using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Engine;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Bench;

/// <summary>
/// Compares the time of an image of 8 x 8 tiles with that of 64 images of the size of a tile, in turns within one run,
/// and prints the memory that a score allocates.
/// </summary>
internal static class TilesCommand
{
    private const int Width = 4096,
        Height = 3072;
    private const int Rounds = 9;

    private static readonly FitSettings Plain = new()
    {
        ImageSize = 288,
        Dimensions = 40,
        Positions = PatchPositions.Shared,
    };
    private static readonly FitSettings Tiled = Plain with { ImageSize = 2048, Tiles = new TileSettings(288, 32) };

    public static Command Create()
    {
        var command = new Command("tiles", "Compare an image of 8 x 8 tiles with 64 images of one tile each.");
        command.SetAction(_ => Run());
        return command;
    }

    private static void Run()
    {
        var compute = ComputeContext.OnThreadPool(Environment.ProcessorCount);
        using var registry = new BackboneRegistry([], BackboneRuntime.Create(DevicePreference.Cpu));
        var backbone = registry.Open(BackboneRegistry.DefaultName);
        var folder = Directory.CreateTempSubdirectory("padim-tiles");
        try
        {
            var tiled = Fit(Tiled, Width, Height);
            var plain = Fit(Plain, Plain.ImageSize, Plain.ImageSize);
            var large = Draw(100, Width, Height);
            var small = Enumerable.Range(0, 64).Select(i => Draw(i, 512, 384)).ToArray();
            var ratios = new List<double>();
            var times = new List<double>();
            for (var round = 0; round <= Rounds; round++)
            {
                var start = Stopwatch.GetTimestamp();
                foreach (var pair in small.Chunk(Environment.ProcessorCount))
                    plain.Score([.. pair.Select(image => new DecodeResult.Decoded(image, null))], compute);
                var alone = Stopwatch.GetElapsedTime(start);
                start = Stopwatch.GetTimestamp();
                tiled.ComputeScore(large, compute);
                var whole = Stopwatch.GetElapsedTime(start);
                if (round == 0)
                    continue;
                ratios.Add(whole / alone);
                times.Add(whole.TotalMilliseconds);
            }
            var allocated = GC.GetTotalAllocatedBytes();
            tiled.Score(large, compute);
            allocated = GC.GetTotalAllocatedBytes() - allocated;
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"8 x 8 tiles of {Tiled.Tiles!.Size} pixels: {ratios.Order().ElementAt(Rounds / 2):f3} of 64 images ("
                        + $"{ratios.Min():f3} to {ratios.Max():f3}), {times.Order().ElementAt(Rounds / 2):f0} ms; "
                        + $"{allocated / 1e6:f0} MB allocated, {Environment.WorkingSet / 1e6:f0} MB in use"
                )
            );

            ModelScorer Fit(FitSettings settings, int width, int height)
            {
                TrainingImage[] images =
                [
                    .. Enumerable
                        .Range(0, 2)
                        .Select(seed => new TrainingImage(
                            $"{seed:x64}",
                            () => ImageEncoder.EncodePng(Draw(seed, width, height))
                        )),
                ];
                var pipeline = new FitPipeline(
                    backbone,
                    settings,
                    new ImageDecoder(),
                    new EmbeddingStore(folder.FullName, TimeProvider.System),
                    compute
                );
                return new ModelScorer(pipeline.Run(images, null, null, null, CancellationToken.None), backbone);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Draws noise on a slope of light.</summary>
    private static RgbImage Draw(int seed, int width, int height)
    {
        var random = new Random(seed);
        var pixels = new byte[3 * width * height];
        random.NextBytes(pixels);
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(100 + pixels[i] / 8 + 20 * (i / 3 % width) / width);
        return new RgbImage(width, height, pixels);
    }
}
