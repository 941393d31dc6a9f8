using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Imaging;

namespace PaDiM.Onnx.Pipelines;

/// <summary>From images to patch embeddings: preprocessing, backbone, reduction. The one path that fit, score and evaluation share. Thread-safe.</summary>
/// <param name="backbone">The network.</param>
/// <param name="settings">Sizes.</param>
/// <param name="reduction">From the network's channels to d dimensions.</param>
/// <param name="template">What images are aligned to; null where they are taken as they lie.</param>
public sealed class Embedder(Backbone backbone, FitSettings settings, ChannelReduction reduction, float[]? template = null)
{
    private readonly ParallelOptions threads = new() { MaxDegreeOfParallelism = backbone.Runtime.Threads };

    /// <summary>From pixels to the backbone's input.</summary>
    public Preprocessing Preprocessing { get; } = new(settings, backbone.Manifest.Normalisation, template);

    /// <summary>The network.</summary>
    public Backbone Backbone { get; } = backbone;

    /// <summary>Values of one prepared image.</summary>
    public int PreparedLength => 3 * Preprocessing.PreparedSize.Positions;

    /// <summary>Embeds prepared images.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    /// <param name="reuse">For each image an embedding that may be written over, or null.</param>
    public PatchEmbedding[] Embed(float[] prepared, int count, ParallelOptions? parallel = null, IReadOnlyList<PatchEmbedding?>? reuse = null)
    {
        using var features = Backbone.Extract(prepared, count, Preprocessing.PreparedSize);
        var embeddings = new PatchEmbedding[count];
        for (var i = 0; i < count; i++) embeddings[i] = reduction.Embed(features[i], parallel, reuse?[i]);
        return embeddings;
    }

    /// <summary>Reduces one image of a batch that the backbone has run on.</summary>
    public PatchEmbedding Reduce(BackboneFeatures features, int image) => reduction.Embed(features[image], threads);
}
