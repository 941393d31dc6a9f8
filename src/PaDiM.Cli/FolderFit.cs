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
    /// <summary>Fits a model. The embeddings kept between the two passes are deleted afterwards.</summary>
    /// <exception cref="InvalidDataException">The backbone cannot be used with these settings.</exception>
    /// <exception cref="UserFaultException">There are too few images, or one cannot be read.</exception>
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

    /// <summary>Fits a model with the caller's store. Embeddings in the store are not computed again.</summary>
    /// <exception cref="InvalidDataException">The backbone cannot be used with these settings.</exception>
    /// <exception cref="UserFaultException">There are too few images, or one cannot be read.</exception>
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

    /// <summary>Formats a stage for display.</summary>
    public static string FormatStage(FitProgress step) => step.Stage.ToString().ToLowerInvariant();

    /// <summary>Creates a training image from a file, identified by the hash of its bytes.</summary>
    public static TrainingImage ToTrainingImage(string path) =>
        new(FileHash.Compute(path), () => File.ReadAllBytes(path), path);
}
