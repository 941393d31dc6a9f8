using System.Diagnostics;
using PaDiM.Bench.Images;
using PaDiM.Bench.Measuring;

namespace PaDiM.Bench.Load;

/// <summary>
/// Measures what the service does with large files besides decoding and the model: reading the body, the hash, the
/// answer.
/// </summary>
internal static class LargeFiles
{
    private const int Rounds = 15,
        WarmUpRounds = 2;

    private static readonly (string Name, int Width, int Height, string Format, bool IsForm)[] Files =
    [
        ("12-megapixel JPEG", 4000, 3000, "jpeg", false),
        ("5-megapixel JPEG", 2592, 1944, "jpeg", false),
        ("5-megapixel PNG", 2592, 1944, "png", false),
        ("5-megapixel BMP", 2592, 1944, "bmp", false),
        ("5-megapixel BMP in a form", 2592, 1944, "bmp", true),
    ];

    public static async Task MeasureAsync(RunningService service, Goals goals)
    {
        var files = Files
            .Select(file => CameraImage.Encode(CameraImage.Create(file.Width, file.Height), file.Format))
            .ToArray();
        var decoding = Files.Select(_ => new Times()).ToArray();
        var model = Files.Select(_ => new Times()).ToArray();
        var rest = Files.Select(_ => new Times()).ToArray();
        var outside = Files.Select(_ => new Times()).ToArray();
        for (var round = 0; round < WarmUpRounds + Rounds; round++)
        for (var i = 0; i < Files.Length; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var answer = await (Files[i].IsForm ? service.ScoreFormAsync(files[i]) : service.ScoreAsync(files[i]));
            var whole = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            if (round < WarmUpRounds)
                continue;
            var stages = RunningService.StageNames.Zip(RunningService.ReadStages(answer)).ToDictionary();
            decoding[i].Add(stages["decode"]);
            model[i].Add(stages["embed"] + stages["distance"]);
            rest[i].Add(stages["total"] - stages["decode"] - stages["embed"] - stages["distance"]);
            outside[i].Add(whole - stages["total"]);
        }

        var table = new ReportTable("file", "bytes", "decode", "model", "the rest of the score", "the rest over HTTP");
        for (var i = 0; i < Files.Length; i++)
        {
            table.Add(
                Files[i].Name,
                files[i].Length.ToString("N0", System.Globalization.CultureInfo.InvariantCulture),
                ReportTable.Format(decoding[i].Median),
                ReportTable.Format(model[i].Median),
                ReportTable.Format(rest[i].Median),
                ReportTable.Format(outside[i].Median)
            );
            goals.AtMost($"{Files[i].Name}: the rest of the score at p50", 2, rest[i].Median, " ms");
        }
        table.Print($"Large files over HTTP, one at a time, p50 of {Rounds} in ms:");
    }
}
