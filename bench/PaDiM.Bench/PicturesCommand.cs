using System.CommandLine;
using System.Globalization;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Bench;

/// <summary>
/// Measures the size of an overlay, and the time to encode it, in each format; and as a PNG without the filter that
/// overlays have.
/// </summary>
internal static class PicturesCommand
{
    public static Command Create()
    {
        var images = new Argument<string[]>("image")
        {
            Description = "Photographs to draw on.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("pictures", "Measure the bytes of overlays and the milliseconds to encode them.")
        {
            images,
        };
        command.SetAction(arguments =>
        {
            foreach (var path in arguments.GetValue(images)!)
                Measure(path);
        });
        return command;
    }

    private static void Measure(string path)
    {
        var decoder = new ImageDecoder();
        if (!decoder.Decode(File.ReadAllBytes(path)).TryGetImage(out var photo, out var fault))
            throw new InvalidDataException($"{path}: {fault.Detail}");
        if (!decoder.Decode(Draw(photo)).TryGetImage(out var overlay, out fault))
            throw new InvalidDataException(fault.Detail);
        (string Name, Func<byte[]> Encode)[] ways =
        [
            ("PNG without a filter", () => ImageEncoder.EncodePng(overlay)),
            ("PNG", () => ImageEncoder.EncodePicture(overlay, PictureFormat.Png)),
            ("JPEG", () => ImageEncoder.EncodePicture(overlay, PictureFormat.Jpeg)),
            ("WebP", () => ImageEncoder.EncodePicture(overlay, PictureFormat.Webp)),
        ];
        var candidates = ways.Select(way => new Candidate(way.Name, _ => way.Encode())).ToArray();
        Rounds.Run(candidates, TimeSpan.FromSeconds(10));
        var table = new ReportTable("format", "kB", "p50, ms", "p95, ms");
        for (var i = 0; i < ways.Length; i++)
            table.Add([
                ways[i].Name,
                (ways[i].Encode().Length / 1e3).ToString("n0", CultureInfo.InvariantCulture),
                .. candidates[i].Times.ToCells()[..2],
            ]);
        table.Print($"{Path.GetFileName(path)}, {overlay.Width} x {overlay.Height} pixels:");
    }

    /// <summary>Draws one defect that covers a hundredth of the image.</summary>
    private static byte[] Draw(RgbImage photo)
    {
        var spread = Math.Sqrt(photo.Width * (double)photo.Height) / 10;
        var map = new float[photo.Width * photo.Height];
        for (var i = 0; i < map.Length; i++)
            map[i] = (float)(
                2
                * Math.Exp(
                    -double.Hypot(i % photo.Width - photo.Width / 3.0, i / photo.Width - photo.Height / 3.0) / spread
                )
            );
        return HeatmapRenderer.Render(
            photo,
            new AnomalyMap(new Grid(photo.Height, photo.Width), map),
            1,
            isAnomalous: true,
            HeatmapStyle.Overlay
        );
    }
}
