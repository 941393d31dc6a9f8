using System.CommandLine;
using System.Diagnostics;
using NetVips;
using PaDiM.Bench.Charts;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;
using PaDiM.Core.Embedding;
using PaDiM.Core.Persistence;
using PaDiM.Imaging;

namespace PaDiM.Bench.Load;

/// <summary>
/// Measures the built service under load, beside this process: one request at a time in turn with the same score in
/// this process, then concurrent requests in turn with decoding and the backbone alone.
/// </summary>
internal static class LoadCommand
{
    private const int Side = 512,
        Slices = 4,
        WarmUpRounds = 5;

    /// <summary>
    /// The images in a row before the other candidate's turn: a camera sends one image after another, and finds the
    /// caches as its last request left them.
    /// </summary>
    private const int ImagesPerTurn = 10;

    private static readonly int[] Concurrencies = [1, 2, 8, 32];

    /// <summary>The images before the first measurement, side by side and one at a time.</summary>
    private static readonly (int Senders, int Images)[] WarmUps = [(8, 800), (1, 200)];

    private static readonly double[] Percentiles = [0.5, 0.95, 0.99];

    public static System.CommandLine.Command Create()
    {
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds for the requests one at a time, and for each concurrency.",
            DefaultValueFactory = _ => 16,
        };
        var reductions = Reductions.CreateOption();
        var command = Workbench.CreateCommand(
            "load",
            "Measure the service over HTTP: milliseconds and images per second at several concurrencies.",
            (workbench, arguments) =>
                RunAsync(workbench, TimeSpan.FromSeconds(arguments.GetValue(seconds)), arguments.GetValue(reductions)!)
        );
        command.Add(seconds);
        command.Add(reductions);
        return command;
    }

    public static async Task RunAsync(Workbench workbench, TimeSpan each, ReductionMethod[] reductions)
    {
        var name = workbench.FindFirstBackbone("resnet18");
        var image = Encode(workbench.Images[0]);
        var goals = new Goals();
        foreach (var reduction in reductions)
        {
            await using var service = await RunningService.StartAsync(workbench, name, reduction);
            await WarmUpAsync(service, image);
            await MeasureSequentialAsync(workbench, service, name, reduction, image, each, goals);
            await MeasureConcurrentAsync(workbench, service, name, reduction, image, each / Slices, goals);
            if (reduction == reductions[0])
                await LargeFiles.MeasureAsync(service, goals);
        }
        goals.Print();
    }

    /// <summary>
    /// Sends images until the runtime has compiled what they run through for the last time. It does so in the
    /// background, and took a quarter of the processors' time during the first hundreds of images.
    /// </summary>
    private static async Task WarmUpAsync(RunningService service, byte[] image)
    {
        foreach (var (senders, images) in WarmUps)
            await Task.WhenAll(
                Enumerable
                    .Range(0, senders)
                    .Select(async _ =>
                    {
                        for (var i = 0; i < images; i += senders)
                            await service.ScoreAsync(image);
                    })
            );
    }

    private static async Task MeasureSequentialAsync(
        Workbench workbench,
        RunningService service,
        string name,
        ReductionMethod reduction,
        byte[] image,
        TimeSpan duration,
        Goals goals
    )
    {
        using var file = new MemoryStream(await service.ExportAsync());
        using var scorer = new InProcessScorer(ModelFile.Read(file), workbench.Open(name));
        var http = new Times();
        var here = new Times();
        var empty = new Times();
        var stages = RunningService.StageNames.Select(_ => new Times()).ToArray();
        var clock = Stopwatch.StartNew();
        var random = new Random(1);
        for (var round = 0; round < 2 * WarmUpRounds || clock.Elapsed < duration; round++)
        {
            if (round == WarmUpRounds)
            {
                http.Clear();
                here.Clear();
                empty.Clear();
                Array.ForEach(stages, stage => stage.Clear());
            }
            var first = random.Next(2) == 0;
            if (first)
                Here();
            for (var i = 0; i < ImagesPerTurn; i++)
            {
                var began = Stopwatch.GetTimestamp();
                var answer = await service.ScoreAsync(image);
                http.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                foreach (var (stage, milliseconds) in stages.Zip(RunningService.ReadStages(answer)))
                    stage.Add(milliseconds);
            }
            if (!first)
                Here();
            // The cost of HTTP alone when the service's threads sleep and the caches hold other data.
            for (var i = 0; i < ImagesPerTurn; i++)
            {
                Score();
                var began = Stopwatch.GetTimestamp();
                await service.PingAsync();
                empty.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        var table = new ReportTable("what", "p50, ms", "p95, ms", "p99, ms");
        table.Add(["decode and score in this process", .. here.ToCells()]);
        table.Add(["the same over HTTP", .. http.ToCells()]);
        for (var i = 0; i < stages.Length; i++)
            table.Add([$"— server timing: {RunningService.StageNames[i]}", .. stages[i].ToCells()]);
        table.Add(["an empty request (GET /health/live), each after a score in this process", .. empty.ToCells()]);
        table.Print(
            $"{name}, {reduction.ToText()}, a {Side} x {Side} JPEG ({image.Length >> 10} KiB), one request at a time, "
                + $"turns of {ImagesPerTurn}, {workbench.ThreadCount} threads, {http.Count} requests each:"
        );
        goals.AtMost($"{reduction.ToText()}: added by HTTP at p50", 1, http.Median - here.Median, " ms");

        void Here()
        {
            for (var i = 0; i < ImagesPerTurn; i++)
            {
                var began = Stopwatch.GetTimestamp();
                Score();
                here.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        void Score() => scorer.Score([workbench.Decode(image)]);
    }

    private static async Task MeasureConcurrentAsync(
        Workbench workbench,
        RunningService service,
        string name,
        ReductionMethod reduction,
        byte[] image,
        TimeSpan slice,
        Goals goals
    )
    {
        using var ideal = new IdealThroughput(workbench, name, image);
        var loads = Concurrencies.Select(concurrency => new Throughput(concurrency)).ToArray();
        var apart = (Images: 0, Seconds: 0.0);
        var together = (Images: 0, Seconds: 0.0);
        await ApplyLoadAsync(service, image, new Throughput(Concurrencies[^1]), TimeSpan.FromSeconds(2));
        for (var round = 0; round < Slices; round++)
        {
            foreach (var load in loads)
                await ApplyLoadAsync(service, image, load, slice);
            apart = Sum(apart, ideal.RunSessionPerCore(slice));
            together = Sum(together, ideal.RunBatches(slice));
        }

        var rates = (Apart: apart.Images / apart.Seconds, Together: together.Images / together.Seconds);
        var best = Math.Max(rates.Apart, rates.Together);
        var table = new ReportTable(
            "concurrency",
            "p50, ms",
            "p95, ms",
            "p99, ms",
            "images per second",
            "of the ideal",
            "CPU ms per image: service",
            "CPU ms per image: load generator"
        );
        foreach (var load in loads)
            table.Add([
                $"{load.Concurrency}",
                .. load.Times.ToCells(),
                ReportTable.Format(load.PerSecond),
                ReportTable.Format(load.PerSecond / best),
                ReportTable.Format(1000 * load.ServiceCpuSeconds / load.Times.Count),
                ReportTable.Format(1000 * load.ClientCpuSeconds / load.Times.Count),
            ]);
        table.Add(
            "ideal: a single-threaded session per core",
            "",
            "",
            "",
            ReportTable.Format(rates.Apart),
            ReportTable.Format(rates.Apart / best),
            "",
            ""
        );
        table.Add(
            "ideal: batches of 8 on all threads",
            "",
            "",
            "",
            ReportTable.Format(rates.Together),
            ReportTable.Format(rates.Together / best),
            "",
            ""
        );
        table.Print(
            $"{name}, {reduction.ToText()}, the same JPEG at several concurrencies. The ideal is the better of two "
                + "ways of decoding and the backbone alone in this process, in turn while the service is idle, "
                + $"{Slices} slices of {slice.TotalSeconds:0.#} s each:"
        );
        foreach (var load in loads.Where(load => load.Concurrency >= 8))
            goals.AtLeast(
                $"{reduction.ToText()}: images per second at concurrency {load.Concurrency}, of the ideal",
                0.92,
                load.PerSecond / best
            );

        workbench.Draw(
            $"load-{reduction.ToFileNamePrefix()}throughput",
            new LineChart(
                $"{name}, {Side} x {Side} JPEG over HTTP",
                "concurrency",
                "images per second",
                [
                    new Series("service", [.. loads.Select(load => ((double)load.Concurrency, load.PerSecond))]),
                    new Series(
                        "decoding and backbone alone",
                        [(Concurrencies[0], best), (Concurrencies[^1], best)],
                        Dashed: true
                    ),
                ],
                doubling: true
            )
        );
        workbench.Draw(
            $"load-{reduction.ToFileNamePrefix()}latency",
            new LineChart(
                $"{name}, {Side} x {Side} JPEG over HTTP",
                "concurrency",
                "milliseconds",
                [
                    .. Percentiles.Select(share => new Series(
                        $"p{100 * share:0}",
                        [.. loads.Select(load => ((double)load.Concurrency, load.Times.Percentile(share)))]
                    )),
                ],
                doubling: true
            )
        );
    }

    /// <summary>
    /// Sends concurrent requests for a while. Each sender sends the next request when it has the response.
    /// </summary>
    private static async Task ApplyLoadAsync(RunningService service, byte[] image, Throughput load, TimeSpan duration)
    {
        var clientTime = Environment.CpuUsage.TotalTime;
        var serviceTime = service.ProcessorTime;
        var clock = Stopwatch.StartNew();
        var senders = await Task.WhenAll(
            Enumerable
                .Range(0, load.Concurrency)
                .Select(async _ =>
                {
                    var times = new List<double>();
                    while (clock.Elapsed < duration)
                    {
                        var began = Stopwatch.GetTimestamp();
                        await service.ScoreAsync(image);
                        times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                    }
                    return times;
                })
        );
        foreach (var times in senders)
            load.Times.AddRange(times);
        load.Seconds += clock.Elapsed.TotalSeconds;
        load.ClientCpuSeconds += (Environment.CpuUsage.TotalTime - clientTime).TotalSeconds;
        load.ServiceCpuSeconds += (service.ProcessorTime - serviceTime).TotalSeconds;
    }

    private static (int Images, double Seconds) Sum(
        (int Images, double Seconds) one,
        (int Images, double Seconds) other
    ) => (one.Images + other.Images, one.Seconds + other.Seconds);

    /// <summary>Encodes the JPEG to send.</summary>
    public static byte[] Encode(RgbImage image)
    {
        using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var colour = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
        using var square = colour.ThumbnailImage(Side, height: Side, size: Enums.Size.Force);
        return square.JpegsaveBuffer(q: 90);
    }
}
