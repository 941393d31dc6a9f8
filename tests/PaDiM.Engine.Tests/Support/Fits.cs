using System.Security.Cryptography;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Support;

/// <summary>Fits with the built-in backbone over small synthetic parts; one folder of embeddings each.</summary>
internal sealed class Fits : IDisposable
{
    public static readonly FitSettings Settings = new() { ImageSize = 64, Dimensions = 24 };
    private static readonly BackboneRegistry Registry = new([], BackboneFolder.Cpu);
    private readonly TempDirectory _folder = new();

    public static Backbone Tiny => Registry.Open(BackboneRegistry.DefaultName);

    /// <summary>Images read so far.</summary>
    public int Reads;

    public TrainingStatistics? Statistics { get; private set; }

    public string StorePath => _folder.Path;

    public TrainingImage[] Parts(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(seed => Image(SyntheticParts.Good(seed, 72).ToBmp()))];

    public TrainingImage Image(byte[] bytes) =>
        new(
            Convert.ToHexStringLower(SHA256.HashData(bytes)),
            () =>
            {
                Interlocked.Increment(ref Reads);
                return bytes;
            }
        );

    /// <summary>Fits, and keeps what is needed to go on from there.</summary>
    public PadimModel Run(
        IReadOnlyList<TrainingImage> images,
        PriorFit? prior = null,
        FitSettings? settings = null,
        Backbone? backbone = null,
        Action<FitProgress>? progress = null,
        bool[]? ignored = null,
        CancellationToken stop = default
    )
    {
        var pipeline = new FitPipeline(
            backbone ?? Tiny,
            settings ?? Settings,
            new ImageDecoder(),
            new EmbeddingStore(_folder.Path, TimeProvider.System),
            OnThreadPool.Context,
            ignored
        );
        return pipeline.Run(
            images,
            prior,
            statistics =>
            {
                // A copy: the fit uses the statistics up.
                var file = new MemoryStream();
                StatisticsFile.Write(file, statistics);
                file.Position = 0;
                Statistics = StatisticsFile.Read(file);
            },
            progress,
            stop
        );
    }

    public PriorFit PriorOf(PadimModel model)
    {
        var statistics = Statistics;
        return new PriorFit(model.Reduction, model.TrainingImages, () => statistics);
    }

    public static byte[] Bytes(PadimModel model)
    {
        var file = new MemoryStream();
        ModelFile.Write(file, model);
        return file.ToArray();
    }

    /// <summary>The model as it comes out of its file.</summary>
    public static PadimModel Reread(PadimModel model) => ModelFile.Read(new MemoryStream(Bytes(model)));

    public void Dispose() => _folder.Dispose();
}
