using System.Buffers;
using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Calibration;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Bench;

/// <summary>
/// Measures a fit beside decoding and embedding its images, in turn within one run, and then each of its stages alone,
/// one after the other; in a fit some stages overlap. Prints wall-clock and CPU seconds, each the smallest of the
/// rounds.
/// </summary>
internal sealed class FitCommand(Backbone backbone, IReadOnlyList<byte[]> images, FitSettings settings)
{
    private const int Batch = 8,
        StoreBatch = 32;

    private readonly FitSettings _settings = settings;
    private readonly ImageDecoder _decoder = new();
    private readonly ComputeContext _compute = ComputeContext.OnThreadPool(backbone.Runtime.Threads);
    private readonly ParallelOptions _parallel = new() { MaxDegreeOfParallelism = backbone.Runtime.Threads };
    private readonly SortedDictionary<string, Cost> _costs = new(StringComparer.Ordinal);

    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "Folder of images of good parts." };
        var counts = new Option<int[]>("--images")
        {
            Description = "Numbers of images.",
            DefaultValueFactory = _ => [50, 220],
            AllowMultipleArgumentsPerToken = true,
        };
        var names = new Option<string[]>("--backbone")
        {
            Description = "Backbones to measure.",
            DefaultValueFactory = _ => [BackboneRegistry.DefaultName],
            AllowMultipleArgumentsPerToken = true,
        };
        var directory = new Option<string>("--backbones")
        {
            Description = "Folder with more backbones.",
            DefaultValueFactory = _ => BackboneDirectories.BuiltIn,
        };
        var ridges = new Option<double[]>("--ridge")
        {
            Description = "Shares of the mean variance added to every variance, in turn; 0 for epsilon.",
            DefaultValueFactory = _ => [new FitSettings().RelativeRidge],
            AllowMultipleArgumentsPerToken = true,
        };
        var rounds = new Option<int>("--rounds")
        {
            Description = "Number of rounds; the best counts.",
            DefaultValueFactory = _ => 3,
        };
        var command = new Command(
            "fit",
            "Measure the seconds of a fit and its stages, beside decoding and embedding alone."
        )
        {
            folder,
            counts,
            names,
            directory,
            ridges,
            rounds,
        };
        command.SetAction(arguments =>
        {
            using var registry = new BackboneRegistry(
                [Path.GetFullPath(arguments.GetValue(directory)!)],
                BackboneRuntime.Create(DevicePreference.Cpu)
            );
            var wanted = arguments.GetValue(counts)!;
            var paths = Directory.EnumerateFiles(arguments.GetValue(folder)!).Order(StringComparer.Ordinal).ToArray();
            var files = ImageCopies.Create(paths, wanted.Max());
            Console.WriteLine(
                $"{Environment.ProcessorCount} cores, 256 x 256, {new FitSettings().Dimensions} dimensions"
            );
            Console.WriteLine();
            ReportTable.PrintHeader(
                "backbone",
                "images",
                "ridge",
                "what",
                "seconds",
                "CPU seconds",
                "seconds / decoding and embedding",
                "the same in CPU seconds"
            );
            foreach (var name in arguments.GetValue(names)!)
            foreach (var count in wanted)
            {
                // In turn within each round: what slows the machine down for a while then slows all of them down.
                var measured = arguments
                    .GetValue(ridges)!
                    .Select(ridge => new FitCommand(
                        registry.Open(name),
                        files[..count],
                        new FitSettings { RelativeRidge = ridge }
                    ))
                    .ToArray();
                for (var round = -1; round < arguments.GetValue(rounds); round++)
                    foreach (var each in measured)
                        each.RunRound();
                foreach (var each in measured)
                    each.Print(name);
            }
        });
        return command;
    }

    /// <summary>Runs a round. The first one warms up: costs keep the smallest values.</summary>
    private void RunRound()
    {
        var scratch = Directory.CreateTempSubdirectory("padim-bench-");
        try
        {
            Measure(
                "0 decoding and embedding",
                () =>
                {
                    foreach (var batch in images.Chunk(Batch))
                        Embed(batch);
                }
            );
            var store = new EmbeddingStore(Path.Combine(scratch.FullName, "fit"), TimeProvider.System);
            Measure(
                "1 whole fit",
                () =>
                    new FitPipeline(backbone, _settings, _decoder, store, _compute).Run(
                        [.. images.Select((bytes, i) => new TrainingImage(GetName(i), () => bytes))],
                        null,
                        null,
                        null,
                        CancellationToken.None
                    )
            );
            MeasureStages(store, new EmbeddingStore(Path.Combine(scratch.FullName, "stages"), TimeProvider.System));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private void MeasureStages(EmbeddingStore fitted, EmbeddingStore store)
    {
        var batches = images.Select((bytes, i) => (bytes, i)).Chunk(StoreBatch).ToArray();
        var buffers = new PatchEmbedding[StoreBatch];
        PatchStatistics? statistics = null;
        var traits = new List<ImageTraits>();
        foreach (var batch in batches)
        {
            var embedded = batch.Chunk(Batch).SelectMany(part => Embed([.. part.Select(item => item.bytes)])).ToArray();
            var shrunk = batch
                .Select(item => fitted.ReadPixels(_settings, Embedder.Decoding, GetName(item.i))!)
                .ToArray();
            Measure(
                "2 store: write",
                () =>
                    Parallel.For(
                        0,
                        batch.Length,
                        _parallel,
                        i =>
                        {
                            store.Write("key", GetName(batch[i].i), embedded[i]);
                            store.WritePixels(
                                _settings,
                                Embedder.Decoding,
                                GetName(batch[i].i),
                                shrunk[i].Pixels,
                                shrunk[i].FileSize!.Value
                            );
                        }
                    ),
                adds: true
            );
            Measure(
                "9 findings",
                () =>
                {
                    var found = new ImageTraits[batch.Length];
                    Parallel.For(
                        0,
                        batch.Length,
                        _parallel,
                        i =>
                        {
                            var pixels = ArrayPool<float>.Shared.Rent(shrunk[i].Pixels.Pixels.Length);
                            for (var k = 0; k < shrunk[i].Pixels.Pixels.Length; k++)
                                pixels[k] = shrunk[i].Pixels.Pixels[k];
                            found[i] = ImageTraits.Measure(
                                pixels.AsSpan(0, shrunk[i].Pixels.Pixels.Length),
                                _settings.GetImageSize()
                            );
                            ArrayPool<float>.Shared.Return(pixels);
                        }
                    );
                    traits.AddRange(found);
                },
                adds: true
            );
            statistics ??= new PatchStatistics(embedded[0].Grid, embedded[0].Dimensions);
            Measure("3 statistics", () => statistics.Add(embedded, _parallel), adds: true);
        }
        var regularisation = new Regularisation(_settings.Epsilon) { RelativeRidge = _settings.RelativeRidge };
        Measure("4 freezing", () => PatchDistribution.Freeze(statistics!, regularisation, _parallel));
        var mapper = new PixelMapper(statistics!.Grid, _settings.GetPreparedSize(), _settings.BlurSigma);
        LeaveOneOut? leaveOneOut = null;
        Measure(
            "5 leave-one-out: factors",
            () => leaveOneOut = LeaveOneOut.Consume(statistics!, regularisation, _parallel)
        );
        foreach (var batch in batches)
        {
            var embedded = new PatchEmbedding[batch.Length];
            Measure(
                "6 store: read",
                () =>
                    Parallel.For(
                        0,
                        batch.Length,
                        _parallel,
                        i => embedded[i] = buffers[i] = store.Read("key", GetName(batch[i].i), buffers[i])!
                    ),
                adds: true
            );
            var maps = Array.Empty<AnomalyMap>();
            Measure(
                "7 leave-one-out: distances",
                () => maps = leaveOneOut!.ComputeDistances(embedded, _parallel),
                adds: true
            );
            Measure(
                "8 maps to scores",
                () => Parallel.For(0, maps.Length, _parallel, i => mapper.ToPixels(maps[i]).Max()),
                adds: true
            );
        }
        Measure("9 findings", () => TrainingSetReview.FindAll(traits, _parallel), adds: true);
        foreach (var cost in _costs.Values)
            cost.EndRound();
    }

    private PatchEmbedding[] Embed(byte[][] batch)
    {
        var embedder = Embedder;
        var prepared = new float[batch.Length * embedder.PreparedLength];
        Parallel.For(
            0,
            batch.Length,
            _parallel,
            i =>
                embedder.Preprocessing.Prepare(
                    Decode(batch[i]),
                    prepared.AsSpan(i * embedder.PreparedLength, embedder.PreparedLength)
                )
        );
        return embedder.Embed(prepared, batch.Length, _compute);
    }

    private Embedder Embedder =>
        field ??= new Embedder(
            backbone,
            _settings,
            ChannelReduction.Draw(_settings.Reduction, backbone.TapChannels, _settings.Dimensions, _settings.Seed)
        );

    private RgbImage Decode(byte[] bytes) => ((DecodeResult.Decoded)_decoder.Decode(bytes, Embedder.Decoding)).Image;

    private static string GetName(int image) => FormattableString.Invariant($"{image:d6}");

    private void Measure(string what, Action work, bool adds = false)
    {
        if (!_costs.TryGetValue(what, out var cost))
            _costs[what] = cost = new Cost();
        var cpuTime = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        work();
        cost.Add(clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - cpuTime).TotalSeconds);
        if (!adds)
            cost.EndRound();
    }

    private void Print(string name)
    {
        var alone = _costs.First().Value;
        foreach (var (what, cost) in _costs)
            ReportTable.PrintRow(
                name,
                $"{images.Count}",
                FormattableString.Invariant($"{_settings.RelativeRidge}"),
                GetLabel(what),
                FormattableString.Invariant($"{cost.Seconds:f2}"),
                FormattableString.Invariant($"{cost.Processor:f2}"),
                FormattableString.Invariant($"{cost.Seconds / alone.Seconds:f2}"),
                FormattableString.Invariant($"{cost.Processor / alone.Processor:f2}")
            );
    }

    /// <summary>Gets the label of a measurement, without the digit that sorts it. A dash marks a stage.</summary>
    private static string GetLabel(string what) => what[0] is '0' or '1' ? what[2..] : $"— {what[2..]}";

    /// <summary>Keeps the smallest sums of a round so far.</summary>
    private sealed class Cost
    {
        private double _seconds,
            _processor;

        public double Seconds { get; private set; } = double.PositiveInfinity;

        public double Processor { get; private set; } = double.PositiveInfinity;

        public void Add(double elapsed, double used)
        {
            _seconds = _seconds + elapsed;
            _processor = _processor + used;
        }

        public void EndRound()
        {
            if (_seconds > 0)
            {
                Seconds = Math.Min(Seconds, _seconds);
                Processor = Math.Min(Processor, _processor);
            }
            _seconds = 0;
            _processor = 0;
        }
    }
}
