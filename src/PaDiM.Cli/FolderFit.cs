using PaDiM.Core.Models;
using PaDiM.Engine;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Cli;

/// <summary>Fits a model to image files.</summary>
internal static class FolderFit
{
    /// <summary>Fits; what is kept between the two passes goes with the fit.</summary>
    /// <exception cref="InvalidDataException">The backbone cannot be used with these settings.</exception>
    /// <exception cref="UserFaultException">Too few images, or one that cannot be read.</exception>
    public static PadimModel Run(
        Backbone backbone,
        FitSettings settings,
        bool[]? ignored,
        IReadOnlyList<TrainingImage> images,
        Action<FitProgress> progress,
        CancellationToken stop
    )
    {
        var scratch = Directory.CreateTempSubdirectory("padim-");
        try
        {
            return Run(
                backbone,
                settings,
                ignored,
                images,
                new EmbeddingStore(scratch.FullName, TimeProvider.System),
                progress,
                stop
            );
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>Fits with a store of the caller's; embeddings that it holds are not made again.</summary>
    /// <exception cref="InvalidDataException">The backbone cannot be used with these settings.</exception>
    /// <exception cref="UserFaultException">Too few images, or one that cannot be read.</exception>
    public static PadimModel Run(
        Backbone backbone,
        FitSettings settings,
        bool[]? ignored,
        IEnumerable<TrainingImage> images,
        EmbeddingStore store,
        Action<FitProgress> progress,
        CancellationToken stop
    )
    {
        if (backbone.Validate(settings) is { } misfit)
            throw new InvalidDataException(misfit);
        var compute = ComputeContext.OnThreadPool(backbone.Runtime.Threads, bindsCaller: true);
        return new FitPipeline(backbone, settings, new ImageDecoder(), store, compute, ignored).Run(
            [.. images.DistinctBy(image => image.Sha256)],
            null,
            null,
            progress,
            stop
        );
    }

    /// <summary>A stage for people.</summary>
    public static string Words(FitProgress step) => step.Stage.ToString().ToLowerInvariant();

    /// <summary>An image file, known by the hash of its bytes.</summary>
    public static TrainingImage ToTrainingImage(string path) =>
        new(FileHash.Compute(path), () => File.ReadAllBytes(path), path);
}
