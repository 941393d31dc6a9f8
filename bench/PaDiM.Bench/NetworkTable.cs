using PaDiM.Bench.Growth;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Bench;

/// <summary>Represents one row of figures of a network on a folder.</summary>
/// <param name="Data">Name of the folder.</param>
/// <param name="Backbone">The network.</param>
/// <param name="Figures">Image AUROC, pixel AUROC, AU-PRO at 0.3 and 0.05.</param>
internal sealed record MeasuredNetwork(string Data, Backbone Backbone, double[] Figures);

/// <summary>
/// Prints accuracy and time by network and folder, so that a network can be chosen by its cost: the means of all figures
/// of a network on a folder, and the time from a decoded image to its score. Networks are timed in turn.
/// </summary>
internal static class NetworkTable
{
    private const int MostImages = 32;

    /// <summary>Times the networks and prints the table.</summary>
    /// <param name="measured">The figures.</param>
    /// <param name="folders">The folders, by their names.</param>
    /// <param name="settings">Sizes and dimensions of the models.</param>
    /// <param name="each">Time for each folder.</param>
    public static void Print(
        IReadOnlyList<MeasuredNetwork> measured,
        IReadOnlyDictionary<string, string> folders,
        FitSettings settings,
        TimeSpan each
    )
    {
        var table = new ReportTable(
            "data",
            "network",
            "image AUROC",
            "pixel AUROC",
            "AU-PRO@0.3",
            "AU-PRO@0.05",
            "decoded image to score, p50, ms",
            "/ first network"
        );
        foreach (var ofData in measured.GroupBy(row => row.Data))
        {
            var networks = ofData.GroupBy(row => row.Backbone).ToArray();
            var times = Measure(folders[ofData.Key], [.. networks.Select(rows => rows.Key)], settings, each);
            foreach (var (i, rows) in networks.Index())
                table.Add([
                    ofData.Key,
                    rows.Key.Identity.Name,
                    .. Enumerable
                        .Range(0, rows.First().Figures.Length)
                        .Select(figure =>
                            FormattableString.Invariant($"{rows.Average(row => row.Figures[figure]):f3}")
                        ),
                    ReportTable.Format(times[i].Median),
                    ReportTable.Format(times[i].Median / times[0].Median),
                ]);
        }
        table.Print("By network:");
    }

    private static Times[] Measure(string folder, Backbone[] backbones, FitSettings settings, TimeSpan duration)
    {
        var images = ReadImages(folder, settings);
        var scorers = backbones
            .Select(backbone => new InProcessScorer(
                SyntheticModel.Create(
                    backbone,
                    settings with
                    {
                        Dimensions = Math.Min(settings.Dimensions, backbone.TapChannels.Sum()),
                    }
                ),
                backbone
            ))
            .ToArray();
        try
        {
            Candidate[] candidates =
            [
                .. scorers.Select(
                    (scorer, i) =>
                        new Candidate(
                            backbones[i].Identity.Name,
                            round => scorer.Score([images[round % images.Length]])
                        )
                ),
            ];
            // Like a request, not on the main thread, which is never bound to a processor.
            Task.Run(() => Rounds.Run(candidates, duration)).GetAwaiter().GetResult();
            return [.. candidates.Select(candidate => candidate.Times)];
        }
        finally
        {
            foreach (var scorer in scorers)
                scorer.Dispose();
        }
    }

    private static RgbImage[] ReadImages(string folder, FitSettings settings)
    {
        var decoder = new ImageDecoder();
        return
        [
            .. Directory
                .EnumerateFiles(Path.Combine(folder, "train", "good"))
                .Order(StringComparer.Ordinal)
                .Take(MostImages)
                .Select(path => decoder.Decode(File.ReadAllBytes(path), DecodeOptions.For(settings)))
                .OfType<DecodeResult.Decoded>()
                .Select(decoded => decoded.Image),
        ];
    }
}
