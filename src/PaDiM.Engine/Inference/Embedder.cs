using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Inference;

/// <summary>
/// From images to patch embeddings: preprocessing, backbone, reduction. The one path that fit, score and evaluation
/// share. Thread-safe.
/// </summary>
/// <param name="backbone">The network.</param>
/// <param name="settings">Sizes.</param>
/// <param name="reduction">From the network's channels to d dimensions.</param>
/// <param name="template">What images are aligned to; null where they are taken as they lie.</param>
public sealed class Embedder(
    Backbone backbone,
    FitSettings settings,
    ChannelReduction reduction,
    float[]? template = null
)
{
    /// <summary>From pixels to the backbone's input.</summary>
    public Preprocessor Preprocessing { get; } = new(settings, backbone.Manifest.Normalisation, template);

    /// <summary>The network.</summary>
    public Backbone Backbone { get; } = backbone;

    /// <summary>From the network's channels to d dimensions.</summary>
    public ChannelReduction Reduction { get; } = reduction;

    /// <summary>Values of one prepared image.</summary>
    public int PreparedLength => 3 * Preprocessing.PreparedSize.Positions;

    /// <summary>Embeds prepared images.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    /// <param name="reuse">For each image an embedding that may be written over, or null.</param>
    public PatchEmbedding[] Embed(
        float[] prepared,
        int count,
        ParallelOptions? parallel = null,
        IReadOnlyList<PatchEmbedding?>? reuse = null
    )
    {
        using var features = Extract(prepared, count);
        var embeddings = new PatchEmbedding[count];
        for (var i = 0; i < count; i++)
            embeddings[i] = features.Embed(i, parallel, reuse?[i]);
        return embeddings;
    }

    /// <summary>Runs the backbone on prepared images.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    public BackboneFeatures Extract(float[] prepared, int count) =>
        Backbone.Extract(prepared, count, Preprocessing.PreparedSize, Reduction);

    /// <summary>Whether images of the two may pass through the backbone together.</summary>
    public bool SharesBatchesWith(Embedder other) =>
        ReferenceEquals(this, other)
        || (
            Backbone == other.Backbone
            && Preprocessing.PreparedSize == other.Preprocessing.PreparedSize
            && Reduction.IsSameAs(other.Reduction)
        );
}
