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
/// The built service under load, beside what this process does without it: one request at a time in turn with the same
/// score in this process, then many at a time in turn with the rate that decoding and the backbone alone would allow.
/// </summary>
internal static class LoadCommand
{
    private const int Side = 512,
        Slices = 4,
        WarmUpRounds = 5;

    /// <summary>
    /// Images in a row before it is the other's turn: a camera asks again and again, and finds the caches as it left
    /// them.
    /// </summary>
    private const int ImagesPerTurn = 10;

    private static readonly int[] Concurrencies = [1, 2, 8, 32];

    private static readonly double[] Percentiles = [0.5, 0.95, 0.99];

    public static System.CommandLine.Command Create()
    {
        var seconds = new Option<double>("--seconds")
        {
            Description = "Time for the requests one at a time, and for each concurrency.",
            DefaultValueFactory = _ => 16,
        };
        var reductions = Reductions.CreateOption();
        var command = Workbench.CreateCommand(
            "load",
            "The service over HTTP: milliseconds and images a second at several concurrencies.",
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
        var bars = new Goals();
        foreach (var reduction in reductions)
        {
            await using var service = await RunningService.StartAsync(workbench, name, reduction);
            await MeasureSequentialAsync(workbench, service, name, reduction, image, each, bars);
            await MeasureConcurrentAsync(workbench, service, name, reduction, image, each / Slices, bars);
        }
        bars.Print();
    }

    private static async Task MeasureSequentialAsync(
        Workbench workbench,
        RunningService service,
        string name,
        ReductionMethod reduction,
        byte[] image,
        TimeSpan duration,
        Goals bars
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
                foreach (var (stage, told) in stages.Zip(RunningService.ReadStages(answer)))
                    stage.Add(told);
            }
            if (!first)
                Here();
            // What HTTP itself costs a service whose threads sleep and whose caches are another's.
            for (var i = 0; i < ImagesPerTurn; i++)
            {
                Score();
                var began = Stopwatch.GetTimestamp();
                await service.PingAsync();
                empty.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }

        var table = new MarkdownTable("what", "p50, ms", "p95, ms", "p99, ms");
        table.Add(["decode and score in this process", .. here.ToCells()]);
        table.Add(["the same over HTTP", .. http.ToCells()]);
        for (var i = 0; i < stages.Length; i++)
            table.Add([$"— of it, as the service tells: {RunningService.StageNames[i]}", .. stages[i].ToCells()]);
        table.Add(["a request of nothing (GET /health/live), each after a score in this process", .. empty.ToCells()]);
        table.Print(
            $"{name}, {reduction.ToText()}, a JPEG of {Side} x {Side} ({image.Length >> 10} KiB), one at a time, turns of {ImagesPerTurn}, {workbench.ThreadCount} threads, {http.Count} each:"
        );
        bars.AtMost($"{reduction.ToText()}: what HTTP adds at p50", 1, http.Median - here.Median, " ms");

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
        Goals bars
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
        var table = new MarkdownTable(
            "concurrency",
            "p50, ms",
            "p95, ms",
            "p99, ms",
            "images a second",
            "of the ideal",
            "processor ms an image: service",
            "load generator"
        );
        foreach (var load in loads)
            table.Add([
                $"{load.Concurrency}",
                .. load.Times.ToCells(),
                MarkdownTable.Format(load.PerSecond),
                MarkdownTable.Format(load.PerSecond / best),
                MarkdownTable.Format(1000 * load.ServiceCpuSeconds / load.Times.Count),
                MarkdownTable.Format(1000 * load.ClientCpuSeconds / load.Times.Count),
            ]);
        table.Add(
            "ideal: a session of one thread on each core",
            "",
            "",
            "",
            MarkdownTable.Format(rates.Apart),
            MarkdownTable.Format(rates.Apart / best),
            "",
            ""
        );
        table.Add(
            "ideal: batches of 8 on all threads",
            "",
            "",
            "",
            MarkdownTable.Format(rates.Together),
            MarkdownTable.Format(rates.Together / best),
            "",
            ""
        );
        table.Print(
            $"{name}, {reduction.ToText()}, the same JPEG over HTTP in turn with decoding and the backbone alone in this process while the service is idle (the better of two ways is the ideal), {Slices} slices of {slice.TotalSeconds:0.#} s each:"
        );
        bars.AtLeast(
            $"{reduction.ToText()}: images a second at concurrency 8, of the ideal",
            0.9,
            loads.First(load => load.Concurrency == 8).PerSecond / best
        );

        workbench.Draw(
            $"load-{reduction.ToFileNamePrefix()}throughput",
            new LineChart(
                $"{name}, {Side} x {Side} JPEG over HTTP",
                "concurrency",
                "images a second",
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

    /// <summary>So many requests at a time for a while; each sender sends the next when its answer is there.</summary>
    private static async Task ApplyLoadAsync(RunningService service, byte[] image, Throughput load, TimeSpan duration)
    {
        var asking = Environment.CpuUsage.TotalTime;
        var serving = service.ProcessorTime;
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
        load.ClientCpuSeconds += (Environment.CpuUsage.TotalTime - asking).TotalSeconds;
        load.ServiceCpuSeconds += (service.ProcessorTime - serving).TotalSeconds;
    }

    private static (int Images, double Seconds) Sum(
        (int Images, double Seconds) one,
        (int Images, double Seconds) other
    ) => (one.Images + other.Images, one.Seconds + other.Seconds);

    /// <summary>The JPEG that is sent.</summary>
    public static byte[] Encode(RgbImage image)
    {
        using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, 3, Enums.BandFormat.Uchar);
        using var colour = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
        using var square = colour.ThumbnailImage(Side, height: Side, size: Enums.Size.Force);
        return square.JpegsaveBuffer(q: 90);
    }
}
