using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Measuring;

namespace PaDiM.Bench.Load;

/// <summary>
/// Measures what a fit in the background costs scoring: one image at a time over HTTP, in turn with and without a fit
/// that embeds all images again.
/// </summary>
internal static class BesideFitCommand
{
    private const string FittedCategory = "beside";

    public static Command Create()
    {
        var rounds = new Option<int>("--rounds")
        {
            Description = "Fits per request pattern.",
            DefaultValueFactory = _ => 3,
        };
        var pause = new Option<int>("--pause")
        {
            Description = "Milliseconds from one request to the next in the pattern with pauses.",
            DefaultValueFactory = _ => 100,
        };
        var command = Workbench.CreateCommand(
            "beside-fit",
            "Measure the service over HTTP: how much a fit in the background slows down an image.",
            (workbench, arguments) =>
                RunAsync(workbench, arguments.GetValue(rounds), TimeSpan.FromMilliseconds(arguments.GetValue(pause)))
        );
        command.Add(rounds);
        command.Add(pause);
        return command;
    }

    public static async Task RunAsync(Workbench workbench, int rounds, TimeSpan pause)
    {
        var name = workbench.FindFirstBackbone("resnet18");
        var image = LoadCommand.Encode(workbench.Images[0]);
        await using var service = await RunningService.StartAsync(workbench, name);
        await service.FitAsync(FittedCategory, CreateSettings(name, 0), workbench.Files);
        var table = new ReportTable("requests", "fit", "p50, ms", "p95, ms", "p99, ms", "images", "seconds per fit");
        var goals = new Goals();
        var seed = 0;
        foreach (
            var (requests, between) in new[]
            {
                ("back to back", TimeSpan.Zero),
                ($"one every {pause.TotalMilliseconds:0} ms", pause),
            }
        )
        {
            var alone = new Times();
            var beside = new Times();
            var fits = new Times();
            for (var round = 0; round < rounds; round++)
            {
                // Another seed, so that nothing from earlier fits can be reused.
                await service.PutAsync(FittedCategory, CreateSettings(name, ++seed));
                var began = Stopwatch.GetTimestamp();
                var fit = service.FitAsync(FittedCategory);
                await SendRequestsAsync(service, image, between, beside, () => !fit.IsCompleted);
                await fit;
                var took = Stopwatch.GetElapsedTime(began);
                fits.Add(took.TotalSeconds);
                var until = Stopwatch.GetTimestamp() + (long)(took.TotalSeconds * Stopwatch.Frequency);
                await SendRequestsAsync(service, image, between, alone, () => Stopwatch.GetTimestamp() < until);
            }
            table.Add([requests, "none", .. alone.ToCells(), $"{alone.Count}", ""]);
            table.Add([
                requests,
                "in the background",
                .. beside.ToCells(),
                $"{beside.Count}",
                ReportTable.Format(fits.Median),
            ]);
            goals.AtMost(
                $"p99 during a fit / p99 without, {requests}",
                1.5,
                beside.Percentile(0.99) / alone.Percentile(0.99)
            );
        }
        table.Print(
            $"{name}, a 512 x 512 JPEG over HTTP, {workbench.ThreadCount} threads; "
                + $"full fits of {workbench.Files.Count} images:"
        );
        goals.Print();
    }

    private static object CreateSettings(string backbone, int seed) => new { backbone, reduction = new { seed } };

    private static async Task SendRequestsAsync(
        RunningService service,
        byte[] image,
        TimeSpan between,
        Times times,
        Func<bool> continues
    )
    {
        while (continues())
        {
            var began = Stopwatch.GetTimestamp();
            await service.ScoreAsync(image);
            var took = Stopwatch.GetElapsedTime(began);
            times.Add(took.TotalMilliseconds);
            if (took < between)
                await Task.Delay(between - took);
        }
    }
}
