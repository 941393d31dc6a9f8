using System.Numerics.Tensors;
using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Pipelines;

/// <summary>
/// The embeddings of training images: from the store where they are kept, from the images otherwise. One batch at a time, in the same buffers: what
/// was given before is written over, so that a fit's memory does not grow with its images.
/// </summary>
internal sealed class TrainingEmbeddings(Embedder embedder, string key, ImageDecoder decoder, EmbeddingStore store, int batchSize)
{
    private readonly PatchEmbedding?[] buffers = new PatchEmbedding?[batchSize];
    private float[] preparedBuffer = [];

    /// <summary>Whether the embedding of an image that may be gone is still kept.</summary>
    public bool AreKept(string imageSha256) => store.Contains(key, imageSha256);

    /// <summary>Kept embeddings of images that are gone.</summary>
    public PatchEmbedding[] Kept(IReadOnlyList<string> images) =>
        [.. images.Select((image, i) => buffers[i] = store.Read(key, image, buffers[i]) ?? throw new FitException("embedding_lost", $"The embedding of the removed image {image} is damaged; start a fit that is not incremental."))];

    /// <summary>Embeddings in the order of the images; those that had to be made are kept.</summary>
    public PatchEmbedding[] Get(IReadOnlyList<TrainingImage> images, ParallelOptions parallel)
    {
        var found = new PatchEmbedding?[images.Count];
        Parallel.For(0, images.Count, parallel, i => found[i] = store.Read(key, images[i].Sha256, buffers[i]));
        var missing = Enumerable.Range(0, images.Count).Where(i => found[i] is null).ToArray();
        if (missing.Length > 0) Make(images, missing, found, parallel);
        found.CopyTo(buffers, 0);
        return found!;
    }

    /// <summary>Embeds the images that the store does not have.</summary>
    private void Make(IReadOnlyList<TrainingImage> wanted, int[] missing, PatchEmbedding?[] found, ParallelOptions parallel)
    {
        if (preparedBuffer.Length < missing.Length * embedder.PreparedLength) preparedBuffer = new float[missing.Length * embedder.PreparedLength];
        var prepared = preparedBuffer;
        var images = new (RigidTransform Placement, RgbImage Shrunk)[missing.Length];
        Parallel.For(0, missing.Length, parallel, k => images[k] = embedder.Preprocessing.PrepareAndShrink(
            wanted[missing[k]].Decode(decoder), prepared.AsSpan(k * embedder.PreparedLength, embedder.PreparedLength)));
        var made = embedder.Embed(prepared, missing.Length, parallel, [.. missing.Select(i => buffers[i])]);
        for (var k = 0; k < missing.Length; k++)
        {
            made[k].Placement = images[k].Placement;
            if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(made[k].Values))) throw new FitException("embedding_not_finite", $"The backbone gives values that are not finite for the training image {wanted[missing[k]]}; leave the image out or use another backbone.");
        }
        Parallel.For(0, missing.Length, parallel, k =>
        {
            store.WritePixels(wanted[missing[k]].Sha256, images[k].Shrunk);
            store.Write(key, wanted[missing[k]].Sha256, made[k]);
        });
        for (var k = 0; k < missing.Length; k++) found[missing[k]] = made[k];
    }
}
