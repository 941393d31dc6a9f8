using System.Numerics.Tensors;
using PaDiM.Core;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Loads the embeddings of training images, one batch at a time: from the store if they are there, otherwise from the
/// images. All batches use the same buffers, so that a fit's memory does not grow with the number of images. While the
/// backbone runs, the next images are decoded; while the caller works on a batch, it is written to the store.
/// </summary>
internal sealed class TrainingEmbeddings : IDisposable
{
    /// <summary>Number of images that pass through the backbone at a time.</summary>
    private const int BackboneBatchSize = 8;

    private readonly Embedder _embedder;
    private readonly string _key;
    private readonly ImageDecoder _decoder;
    private readonly EmbeddingStore _store;
    private readonly TrainingPixels _pixels;
    private readonly Grid _patches;
    private readonly ComputeContext _compute;
    private readonly CancellationToken _cancellationToken;
    private readonly ParallelOptions _parallel;
    private readonly PatchEmbedding?[] _buffers;
    private readonly RgbImage?[] _shrunk;

    /// <summary>Two buffers: the backbone reads one while the next images are prepared in the other.</summary>
    private readonly float[][] _prepared =
    [
        [],
        [],
    ];
    private Task _writing = Task.CompletedTask;

    /// <summary>Creates a loader.</summary>
    /// <param name="embedder">Embeds images.</param>
    /// <param name="key">Key of the embeddings in the store.</param>
    /// <param name="decoder">Reads images.</param>
    /// <param name="store">Stores embeddings and pixels.</param>
    /// <param name="pixels">Takes the pixels of new images at the image size.</param>
    /// <param name="patches">Patch positions.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="cancellationToken">Stops between two images.</param>
    public TrainingEmbeddings(
        Embedder embedder,
        string key,
        ImageDecoder decoder,
        EmbeddingStore store,
        TrainingPixels pixels,
        Grid patches,
        ComputeContext compute,
        CancellationToken cancellationToken
    )
    {
        _embedder = embedder;
        _key = key;
        _decoder = decoder;
        _store = store;
        _pixels = pixels;
        _patches = patches;
        _compute = compute;
        _cancellationToken = cancellationToken;
        _parallel = compute.ToParallelOptions(cancellationToken);
        BatchSize = FitEstimate.GetBatchSize(patches, embedder.Reduction.Dimensions, embedder.Tiles is not null);
        _buffers = new PatchEmbedding?[BatchSize];
        _shrunk = new RgbImage?[BatchSize];
    }

    /// <summary>Gets the grid of patch positions.</summary>
    public Grid Patches => _patches;

    /// <summary>Gets the largest number of images in a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Gets the number of the batch that the buffers hold; only that batch can be read.</summary>
    public int BatchNumber { get; private set; }

    /// <summary>Gets whether the store has the embedding of an image, which itself may have been removed.</summary>
    public bool Contains(string imageSha256) => _store.Contains(_key, imageSha256);

    /// <summary>Loads the stored embeddings of removed images.</summary>
    /// <param name="images">SHA-256 of each image, at most <see cref="BatchSize"/>.</param>
    public EmbeddingBatch LoadRemoved(IReadOnlyList<string> images)
    {
        BeginBatch(images.Count);
        for (var i = 0; i < images.Count; i++)
            _buffers[i] =
                _store.Read(_key, images[i], _buffers[i])
                ?? throw new UserFaultException(
                    ProblemCodes.EmbeddingLost,
                    $"The embedding of the removed image {images[i]} is damaged; start a fit that is not incremental."
                );
        return EndBatch(images.Count);
    }

    /// <summary>Loads embeddings in the order of the images; stores the new ones.</summary>
    /// <param name="images">The images, at most <see cref="BatchSize"/>.</param>
    public EmbeddingBatch Load(IReadOnlyList<TrainingImage> images)
    {
        BeginBatch(images.Count);
        var found = new PatchEmbedding?[images.Count];
        ParallelLoop.For(images.Count, _parallel, i => found[i] = _store.Read(_key, images[i].Sha256, _buffers[i]));
        var missing = Enumerable.Range(0, images.Count).Where(i => found[i] is null).ToArray();
        if (missing.Length > 0)
            EmbedMissing(images, missing, found);
        found.CopyTo(_buffers, 0);
        return EndBatch(images.Count);
    }

    /// <summary>Waits for the last batch to be written: a fit that ends early must not leave a writer behind.</summary>
    public void Dispose() => WaitFor(_writing);

    /// <summary>Waits for the writer of the last batch, and allocates buffers on their first use.</summary>
    private void BeginBatch(int count)
    {
        _writing.GetAwaiter().GetResult();
        BatchNumber++;
        var d = _embedder.Reduction.Dimensions;
        for (var i = 0; i < count; i++)
            _buffers[i] ??= new PatchEmbedding(_patches, d, LargeArray.Create<float>((long)_patches.Positions * d));
    }

    private EmbeddingBatch EndBatch(int count) => new(this, BatchNumber, _buffers[..count]!);

    /// <summary>Embeds the images that the store does not have, and starts to write them.</summary>
    private void EmbedMissing(IReadOnlyList<TrainingImage> images, int[] missing, PatchEmbedding?[] found)
    {
        if (_embedder.Tiles is not null)
            EmbedTiles(images, missing, found);
        else
            EmbedWhole(images, missing, found);
        StartWriting(images, missing, found);
    }

    /// <summary>Embeds images in batches; the next ones are prepared meanwhile.</summary>
    private void EmbedWhole(IReadOnlyList<TrainingImage> images, int[] missing, PatchEmbedding?[] found)
    {
        var parts = missing.Chunk(BackboneBatchSize).ToArray();
        var next = _compute.Start(() => Prepare(images, parts[0], ref _prepared[0]));
        try
        {
            for (var part = 0; part < parts.Length; part++)
            {
                var placements = next.GetAwaiter().GetResult();
                var following = part + 1;
                next =
                    following < parts.Length
                        ? _compute.Start(() => Prepare(images, parts[following], ref _prepared[following % 2]))
                        : Task.FromResult<RigidTransform[]>([]);
                Embed(images, parts[part], _prepared[part % 2], placements, found);
            }
        }
        finally
        {
            // Whatever failed, no thread may still write to the buffers. A fault of the images is thrown above.
            WaitFor(next);
        }
    }

    /// <summary>
    /// Embeds images tile by tile, one after the other; the next one is decoded meanwhile. Of a large image, neither
    /// the prepared pixels nor the features are ever in memory as a whole.
    /// </summary>
    private void EmbedTiles(IReadOnlyList<TrainingImage> images, int[] missing, PatchEmbedding?[] found)
    {
        Task<(TileReader Reader, Grid Size)>? next = null;
        try
        {
            OpenNext(0);
            for (var k = 0; k < missing.Length; k++)
            {
                var i = missing[k];
                var (reader, size) = next!.GetAwaiter().GetResult();
                next = null;
                using (reader)
                {
                    OpenNext(k + 1);
                    var embedding = _buffers[i]!;
                    _embedder.EmbedTiles(reader, BackboneBatchSize, embedding, _compute, _cancellationToken);
                    _pixels.Identify(images[i].Sha256, size, _shrunk[i]!);
                    CheckFinite(embedding, images[i]);
                    found[i] = embedding.WithPlacement(reader.Placement);
                }
            }
        }
        finally
        {
            // Whatever failed, no thread may still decode, and no reader may stay open.
            if (next is not null)
            {
                WaitFor(next);
                if (next.IsCompletedSuccessfully)
                    next.Result.Reader.Dispose();
            }
        }

        void OpenNext(int k)
        {
            if (k < missing.Length)
                next = _compute.Start(() => Open(images[missing[k]], missing[k]));
        }
    }

    /// <summary>Decodes an image, and opens it to be cut into tiles.</summary>
    private (TileReader Reader, Grid Size) Open(TrainingImage image, int index)
    {
        var decoded = _embedder.Cut(image.Decode(_decoder, _embedder.Decoding), out _);
        var frame = _embedder.Preprocessing.CreateFrame(decoded.Size);
        var reader = new TileReader(
            _embedder.Preprocessing,
            decoded.Image,
            frame,
            _embedder.Tiles!,
            measures: false,
            GetShrunk(index, frame)
        );
        return (reader, decoded.FileSize);
    }

    /// <summary>Gets a buffer for a resized image.</summary>
    private RgbImage GetShrunk(int index, ImageFrame frame)
    {
        var size = frame.Target;
        if (_shrunk[index] is not { } shrunk || new Grid(shrunk.Height, shrunk.Width) != size)
            _shrunk[index] = shrunk = new RgbImage(size.Width, size.Height, new byte[3 * size.Positions]);
        return shrunk;
    }

    /// <summary>Starts to write new embeddings and pixels to the store.</summary>
    private void StartWriting(IReadOnlyList<TrainingImage> images, int[] missing, PatchEmbedding?[] found) =>
        _writing = _compute.Start(() =>
        {
            ParallelLoop.For(
                missing.Length,
                _compute.ToParallelOptions(),
                k =>
                {
                    var i = missing[k];
                    _pixels.Add(images[i].Sha256, _shrunk[i]!);
                    _store.Write(_key, images[i].Sha256, found[i]!);
                }
            );
            return true;
        });

    /// <summary>Decodes and prepares images, one behind the other in a buffer that grows as needed.</summary>
    /// <returns>How the part lies in each image.</returns>
    private RigidTransform[] Prepare(IReadOnlyList<TrainingImage> images, int[] part, ref float[] buffer)
    {
        var length = _embedder.PreparedLength;
        if (buffer.Length < part.Length * length)
            buffer = LargeArray.Create<float>((long)part.Length * length);
        var prepared = buffer;
        var placements = new RigidTransform[part.Length];
        ParallelLoop.For(
            part.Length,
            _parallel,
            k =>
            {
                var decoded = images[part[k]].Decode(_decoder, _embedder.Decoding);
                // A region is cut out where the part is, so there is no placement within it.
                decoded = _embedder.Cut(decoded, out _);
                var frame = _embedder.Preprocessing.CreateFrame(decoded.Size);
                var shrunk = GetShrunk(part[k], frame);
                placements[k] = _embedder.Preprocessing.PrepareAndShrink(
                    decoded.Image,
                    frame,
                    prepared.AsSpan(k * length, length),
                    shrunk
                );
                _pixels.Identify(images[part[k]].Sha256, decoded.FileSize, shrunk);
            },
            // Where several images fail, the user can act on this fault.
            fault => fault is UserFaultException
        );
        return placements;
    }

    private void Embed(
        IReadOnlyList<TrainingImage> images,
        int[] part,
        float[] prepared,
        RigidTransform[] placements,
        PatchEmbedding?[] found
    )
    {
        var embedded = _embedder.Embed(
            prepared,
            part.Length,
            _compute,
            [.. part.Select(i => _buffers[i])],
            _cancellationToken
        );
        for (var k = 0; k < part.Length; k++)
        {
            CheckFinite(embedded[k], images[part[k]]);
            found[part[k]] = embedded[k].WithPlacement(placements[k]);
        }
    }

    private static void CheckFinite(PatchEmbedding embedding, TrainingImage image)
    {
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(embedding.Values)))
            throw new UserFaultException(
                ProblemCodes.EmbeddingNotFinite,
                $"The backbone's output for the training image {image} is not finite. Leave the image out, or use"
                    + " another backbone."
            );
    }

    /// <summary>Waits for a task to end, and ignores its exception.</summary>
    private static void WaitFor(Task task) =>
        task.ContinueWith(
                _ => { },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            )
            .Wait();
}
