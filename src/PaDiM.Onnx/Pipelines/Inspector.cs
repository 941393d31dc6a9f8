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
        Embedder = new Embedder(backbone, model.Settings, model.Reduction);
        region = model.Settings.RegionOf(model.Ignored, model.Distribution.Grid);
        parallel = new ParallelOptions { MaxDegreeOfParallelism = backbone.Runtime.Threads };
    }

    /// <summary>The model.</summary>
    public PadimModel Model { get; }

    /// <summary>From images to embeddings.</summary>
    public Embedder Embedder { get; }

    /// <summary>Cores that the backbone's work and all around it may use.</summary>
    internal int Threads => parallel.MaxDegreeOfParallelism;

    /// <summary>Distances at patch positions.</summary>
    public AnomalyMap Distances(PatchEmbedding embedding) => MahalanobisScorer.Distances(Model.Distribution, embedding, parallel);

    /// <summary>The map over the prepared image whose maximum is the image score.</summary>
    public AnomalyMap ToPixels(AnomalyMap distances) => distances.ToPixels(Embedder.Preprocessing.PreparedSize, Model.Settings.BlurSigma, region);

    /// <summary>All of it for one image.</summary>
    public AnomalyMap Score(RgbImage image)
    {
        var prepared = new float[Embedder.PreparedLength];
        Embedder.Preprocessing.Prepare(image, prepared);
        return ToPixels(Distances(Embedder.Embed(prepared, 1, parallel)[0]));
    }
}
