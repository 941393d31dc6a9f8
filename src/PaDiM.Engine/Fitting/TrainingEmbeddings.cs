using System.Numerics.Tensors;
using PaDiM.Core;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// The embeddings of training images: from the store where they are kept, from the images otherwise. One batch at a
/// time, in the same buffers: what was given before is written over, so that a fit's memory does not grow with its
/// images. While the backbone runs, the next images are decoded; while the caller works on a batch, it is written to
/// the store.
/// </summary>
internal sealed class TrainingEmbeddings(
    Embedder embedder,
    string key,
    ImageDecoder decoder,
    EmbeddingStore store,
    TrainingPixels pixels,
    Grid patches
) : IDisposable
{
    /// <summary>Images that go through the backbone at a time.</summary>
    private const int BackboneBatch = 8;

    private readonly PatchEmbedding?[] _buffers = new PatchEmbedding?[
        FitEstimate.GetBatchSize(patches, embedder.Reduction.Dimensions)
    ];
    private readonly RgbImage?[] _shrunk = new RgbImage?[
        FitEstimate.GetBatchSize(patches, embedder.Reduction.Dimensions)
    ];
    private readonly float[][] _preparedBuffers =
    [
        [],
        [],
    ];
    private Task _writing = Task.CompletedTask;

    /// <summary>Most images of one batch.</summary>
    public int BatchSize => _buffers.Length;

    /// <summary>Whether the embedding of an image that may be gone is still kept.</summary>
    public bool AreKept(string imageSha256) => store.Contains(key, imageSha256);

    /// <summary>Kept embeddings of images that are gone.</summary>
    public PatchEmbedding[] Kept(IReadOnlyList<string> images)
    {
        _writing.GetAwaiter().GetResult();
        Allocate(images.Count);
        return
        [
            .. images.Select(
                (image, i) =>
                    _buffers[i] =
                        store.Read(key, image, _buffers[i])
                        ?? throw new FitException(
                            "embedding_lost",
                            $"The embedding of the removed image {image} is damaged; start a fit that is not incremental."
                        )
            ),
        ];
    }

    /// <summary>
    /// Embeddings in the order of the images, at most <see cref="BatchSize"/>; those that had to be made are kept.
    /// </summary>
    public PatchEmbedding[] Get(IReadOnlyList<TrainingImage> images, ParallelOptions parallel)
    {
        _writing.GetAwaiter().GetResult();
        Allocate(images.Count);
        var found = new PatchEmbedding?[images.Count];
        Parallel.For(0, images.Count, parallel, i => found[i] = store.Read(key, images[i].Sha256, _buffers[i]));
        var missing = Enumerable.Range(0, images.Count).Where(i => found[i] is null).ToArray();
        if (missing.Length > 0)
            Make(images, missing, found, parallel);
        found.CopyTo(_buffers, 0);
        return found!;
    }

    /// <summary>Waits for what is being written: a fit that ends early leaves nobody at work in the store.</summary>
    public void Dispose() =>
        _writing
            .ContinueWith(
                _ => { },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            )
            .Wait();

    /// <summary>Buffers before their first use, one after the other.</summary>
    private void Allocate(int count)
    {
        var d = embedder.Reduction.Dimensions;
        for (var i = 0; i < count; i++)
            _buffers[i] ??= new PatchEmbedding(patches, d, LargeArray.Create<float>((long)patches.Positions * d));
    }

    /// <summary>Embeds the images that the store does not have.</summary>
    private void Make(
        IReadOnlyList<TrainingImage> wanted,
        int[] missing,
        PatchEmbedding?[] found,
        ParallelOptions parallel
    )
    {
        var parts = missing.Chunk(BackboneBatch).ToArray();
        var next = Start(() => Prepare(0));
        try
        {
            for (var part = 0; part < parts.Length; part++)
            {
                var placements = next.GetAwaiter().GetResult();
                var following = part + 1;
                next =
                    following < parts.Length ? Start(() => Prepare(following)) : Task.FromResult<RigidTransform[]>([]);
                Embed(wanted, parts[part], _preparedBuffers[part % 2], placements, found, parallel);
            }
        }
        finally
        {
            // Whatever went wrong, nobody may be left at work in the buffers; what the images themselves have against
            // it is told above.
            next.ContinueWith(
                    _ => { },
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default
                )
                .Wait();
        }
        _writing = Start(() =>
            Parallel.ForEach(
                missing,
                new ParallelOptions { MaxDegreeOfParallelism = parallel.MaxDegreeOfParallelism, TaskScheduler = null },
                i =>
                {
                    pixels.Keep(wanted[i].Sha256, _shrunk[i]!);
                    store.Write(key, wanted[i].Sha256, found[i]!);
                }
            )
        );

        RigidTransform[] Prepare(int part)
        {
            var images = parts[part];
            var length = embedder.PreparedLength;
            var side = embedder.Preprocessing.ImageSize;
            ref var buffer = ref _preparedBuffers[part % 2];
            if (buffer.Length < images.Length * length)
                buffer = LargeArray.Create<float>((long)images.Length * length);
            var prepared = buffer;
            var placements = new RigidTransform[images.Length];
            Parallel.For(
                0,
                images.Length,
                parallel,
                k =>
                    placements[k] = embedder.Preprocessing.PrepareAndShrink(
                        wanted[images[k]].Decode(decoder),
                        prepared.AsSpan(k * length, length),
                        _shrunk[images[k]] ??= new RgbImage(side, side, new byte[3 * side * side])
                    )
            );
            return placements;
        }
    }

    /// <summary>Work beside the caller's, on the threads of its scheduler.</summary>
    private static Task<T> Start<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current);

    private void Embed(
        IReadOnlyList<TrainingImage> wanted,
        int[] part,
        float[] prepared,
        RigidTransform[] placements,
        PatchEmbedding?[] found,
        ParallelOptions parallel
    )
    {
        var made = embedder.Embed(prepared, part.Length, parallel, [.. part.Select(i => _buffers[i])]);
        for (var k = 0; k < part.Length; k++)
        {
            made[k].Placement = placements[k];
            if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(made[k].Values)))
                throw new FitException(
                    "embedding_not_finite",
                    $"The backbone gives values that are not finite for the training image {wanted[part[k]]}; leave the image out or use another backbone."
                );
            found[part[k]] = made[k];
        }
    }
}
