using System.Security.Cryptography;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Pipelines;
using PaDiM.Onnx.Storage;

namespace PaDiM.Cli;

/// <summary>Fits a model to image files; what it keeps between its two passes goes with it.</summary>
internal static class FolderFit
{
    /// <summary>Fits.</summary>
    /// <exception cref="InvalidDataException">The backbone cannot be used with these settings.</exception>
    /// <exception cref="FitException">Too few images, or one that cannot be read.</exception>
    public static PadimModel Run(Backbone backbone, FitSettings settings, IReadOnlyList<ImageFile> files, Action<FitProgress> progress, CancellationToken stop)
    {
        if (backbone.FindMisfit(settings) is { } misfit) throw new InvalidDataException(misfit);
        var scratch = Directory.CreateTempSubdirectory("padim-");
        try
        {
            var images = files.Select(file => ToTrainingImage(file.Path)).DistinctBy(image => image.Sha256).ToArray();
            return new FitPipeline(backbone, settings, new ImageDecoder(), new EmbeddingStore(scratch.FullName, TimeProvider.System)).Run(images, null, null, progress, stop);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static TrainingImage ToTrainingImage(string path)
    {
        using var stream = File.OpenRead(path);
        return new TrainingImage(Convert.ToHexStringLower(SHA256.HashData(stream)), () => File.ReadAllBytes(path), path);
    }
}
