using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Pipelines;

/// <summary>The embeddings of training images: from the store where they are kept, from the images otherwise.</summary>
internal sealed class TrainingEmbeddings(Embedder embedder, string key, ImageDecoder decoder, EmbeddingStore store)
{
    /// <summary>Whether the embedding of an image that may be gone is still kept.</summary>
    public bool AreKept(string imageSha256) => store.Contains(key, imageSha256);

    /// <summary>Kept embeddings of images that are gone.</summary>
    public PatchEmbedding[] Kept(IReadOnlyList<string> images) =>
        [.. images.Select(image => store.Read(key, image) ?? throw new FitException("embedding_lost", $"The embedding of the removed image {image} is damaged; start a fit that is not incremental."))];

    /// <summary>Embeddings in the order of the images; those that had to be made are kept.</summary>
    public PatchEmbedding[] Get(IReadOnlyList<TrainingImage> images, ParallelOptions parallel)
    {
        var embeddings = new PatchEmbedding?[images.Count];
        Parallel.For(0, images.Count, parallel, i => embeddings[i] = store.Read(key, images[i].Sha256));
        var missing = Enumerable.Range(0, images.Count).Where(i => embeddings[i] is null).ToArray();
        if (missing.Length == 0) return embeddings!;

        var prepared = new float[missing.Length * embedder.PreparedLength];
        Parallel.For(0, missing.Length, parallel, k =>
            embedder.Preprocessing.Prepare(Decode(images[missing[k]]), prepared.AsSpan(k * embedder.PreparedLength, embedder.PreparedLength)));
        var made = embedder.Embed(prepared, missing.Length, parallel);
        for (var k = 0; k < missing.Length; k++)
            if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(made[k].Values))) throw new FitException("embedding_not_finite", $"The backbone gives values that are not finite for the training image {NameOf(images[missing[k]])}; leave the image out or use another backbone.");
        Parallel.For(0, missing.Length, parallel, k => store.Write(key, images[missing[k]].Sha256, made[k]));
        for (var k = 0; k < missing.Length; k++) embeddings[missing[k]] = made[k];
        return embeddings!;
    }

    private RgbImage Decode(TrainingImage image) => decoder.Decode(image.Read()) switch
    {
        DecodeResult.Decoded decoded => decoded.Image,
        DecodeResult.Refused refused => throw new FitException("image_unreadable", $"The training image {NameOf(image)} cannot be read: {refused.Detail}"),
        _ => throw new InvalidOperationException(),
    };

    private static string NameOf(TrainingImage image) => image.Name ?? image.Sha256;
}
