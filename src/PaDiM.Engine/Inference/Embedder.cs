using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Turns images into patch embeddings: preprocessing, backbone, reduction. Fitting, scoring and evaluation all use this
/// one path. Thread-safe.
/// </summary>
/// <param name="backbone">The network.</param>
/// <param name="settings">The settings, which give the sizes.</param>
/// <param name="reduction">From the network's channels to d dimensions.</param>
/// <param name="template">The mean image that images are aligned to; null for no alignment.</param>
public sealed class Embedder(
    Backbone backbone,
    FitSettings settings,
    ChannelReduction reduction,
    float[]? template = null
)
{
    /// <summary>Gets how files become pixels, the first step of the preprocessing.</summary>
    public DecodeOptions Decoding { get; } = DecodeOptions.For(settings);

    /// <summary>Gets the preprocessing from pixels to the backbone's input.</summary>
    public Preprocessor Preprocessing { get; } = new(settings, backbone.Manifest.Normalisation, template);

    /// <summary>Gets the network.</summary>
    public Backbone Backbone { get; } = backbone;

    /// <summary>Gets the reduction from the network's channels to d dimensions.</summary>
    public ChannelReduction Reduction { get; } = reduction;

    /// <summary>Gets whether each reduced tap is averaged with its neighbours.</summary>
    public bool LocalAverage { get; } = settings.LocalAverage;

    /// <summary>Gets the tiles of a prepared image, in pixels; null if images pass through the backbone whole.</summary>
    public TileGrid? Tiles { get; } = settings.CreateTiles();

    /// <summary>Gets the shape of what passes through the backbone: a prepared image, or a tile of it.</summary>
    public Grid InputSize { get; } = settings.GetInputSize();

    /// <summary>Gets the number of values of what passes through the backbone.</summary>
    public int PreparedLength => 3 * InputSize.Positions;

    /// <summary>Gets what the model sees of an image: its region of interest, or all of it.</summary>
    /// <param name="decoded">The image.</param>
    /// <param name="found">Where the part was found; the identity if the region does not move.</param>
    /// <param name="parts">What was found in the same decoded image; null for nothing.</param>
    public DecodeResult.Decoded Cut(DecodeResult.Decoded decoded, out RigidTransform found, FoundParts? parts = null)
    {
        var (image, size) = Preprocessing.Cut(decoded.Image, decoded.Size, out found, parts);
        return ReferenceEquals(image, decoded.Image)
            ? decoded
            : decoded with
            {
                Image = image,
                Size = size,
                FileSize = decoded.Size,
            };
    }

    /// <summary>Embeds prepared images.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="reuse">For each image an embedding whose buffer may be overwritten, or null.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    public PatchEmbedding[] Embed(
        float[] prepared,
        int count,
        ComputeContext compute,
        IReadOnlyList<PatchEmbedding?>? reuse = null,
        CancellationToken cancellationToken = default
    )
    {
        using var features = Extract(prepared, count, compute);
        var parallel = compute.ToParallelOptions(cancellationToken);
        var embeddings = new PatchEmbedding[count];
        for (var i = 0; i < count; i++)
            embeddings[i] = PatchEmbedding.FromTaps(features.GetTaps(i), parallel, reuse?[i]);
        return embeddings;
    }

    /// <summary>Embeds an image tile by tile.</summary>
    /// <param name="reader">Prepares the tiles; none has been read yet.</param>
    /// <param name="batch">Tiles that pass through the backbone at a time.</param>
    /// <param name="embedding">Receives the vectors of all positions of the image.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    internal void EmbedTiles(
        TileReader reader,
        int batch,
        PatchEmbedding embedding,
        ComputeContext compute,
        CancellationToken cancellationToken
    )
    {
        var parallel = compute.ToParallelOptions(cancellationToken);
        using var run = new TileRun(this, reader);
        while (run.PrepareNext(batch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var features = Extract(run.Prepared, run.Count, compute);
            foreach (var (tile, taps) in run.Locate(features, 0))
                embedding.CopyTile(tile, taps, parallel);
        }
    }

    /// <summary>Runs the backbone on prepared images, or on tiles.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="compute">Where to compute.</param>
    public BackboneFeatures Extract(float[] prepared, int count, ComputeContext compute) =>
        Backbone.Extract(prepared, count, InputSize, Reduction, compute, LocalAverage);

    /// <summary>Gets whether images of both embedders may pass through the backbone in one batch.</summary>
    public bool SharesBatchesWith(Embedder other) =>
        ReferenceEquals(this, other)
        || (
            Backbone == other.Backbone
            && InputSize == other.InputSize
            && LocalAverage == other.LocalAverage
            && Reduction.IsSameAs(other.Reduction)
        );
}
