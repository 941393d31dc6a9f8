using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Onnx.Imaging;

namespace PaDiM.Onnx.Pipelines;

/// <summary>Scores images with one model: the embedding's distance from the distribution, upsampled, smoothed, and its maximum. Immutable, thread-safe.</summary>
public sealed class Inspector
{
    private readonly ParallelOptions parallel;
    private readonly RegionOfInterest? region;

    /// <summary>An inspector for a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that it was fitted with, byte for byte.</param>
    /// <exception cref="InvalidDataException">Another network.</exception>
    public Inspector(PadimModel model, Backbones.Backbone backbone)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException($"The model was fitted with another file, other taps or another normalisation of the backbone '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256}); fit it again or put those back.");
        Model = model;
        Embedder = new Embedder(backbone, model.Settings, model.Reduction, model.Template);
        region = model.Settings.RegionOf(model.Ignored, model.Distribution.Grid);
        parallel = new ParallelOptions { MaxDegreeOfParallelism = backbone.Runtime.Threads };
    }

    /// <summary>The model.</summary>
    public PadimModel Model { get; }

    /// <summary>From images to embeddings.</summary>
    public Embedder Embedder { get; }

    /// <summary>Cores that the backbone's work and all around it may use.</summary>
    public int Threads => parallel.MaxDegreeOfParallelism;

    /// <summary>Distances at patch positions, of several images; each position's factor is read once for all of them.</summary>
    public AnomalyMap[] Distances(IReadOnlyList<ReducedTaps> batch) => MahalanobisScorer.Distances(Model.Distribution, batch, parallel);

    /// <summary>The map over the prepared image whose maximum is the image score.</summary>
    /// <param name="distances">Distances at patch positions.</param>
    /// <param name="placement">How the part lies in the image.</param>
    public AnomalyMap ToPixels(AnomalyMap distances, RigidTransform placement) =>
        Embedder.Preprocessing.ToImageFrame(distances.ToPixels(Embedder.Preprocessing.PreparedSize, Model.Settings.BlurSigma, region), placement);

    /// <summary>All of it for one image.</summary>
    public AnomalyMap Score(RgbImage image) => Score(image, out _);

    /// <summary>All of it for one image, and how the part lies in it.</summary>
    public AnomalyMap Score(RgbImage image, out RigidTransform placement)
    {
        var prepared = new float[Embedder.PreparedLength];
        placement = Embedder.Preprocessing.Prepare(image, prepared, Threads);
        using var features = Embedder.Extract(prepared, 1);
        return ToPixels(Distances([features.TapsOf(0)])[0], placement);
    }

    /// <summary>The pixels of an image that the model ignores, at the image's own size; null when all count.</summary>
    /// <param name="size">Rows and columns of the image.</param>
    /// <param name="placement">How the part lies in the image.</param>
    internal bool[]? IgnoredAt(Grid size, RigidTransform placement)
    {
        if (Model.Ignored is not { } ignored) return null;
        var (side, result) = (Model.Settings.ImageSize, new bool[size.Positions]);
        var toTemplate = placement.Inverse();
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
            {
                var (column, row) = toTemplate.Map((x + 0.5) * side / size.Width - 0.5, (y + 0.5) * side / size.Height - 0.5, side);
                var (nearX, nearY) = ((int)Math.Round(column), (int)Math.Round(row));
                result[y * size.Width + x] = nearX >= 0 && nearX < side && nearY >= 0 && nearY < side && ignored[nearY * side + nearX];
            }
        return result;
    }
}
