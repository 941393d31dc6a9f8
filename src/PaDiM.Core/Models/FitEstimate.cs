using System.Globalization;
using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>
/// The memory and disk space that a fit needs, known before it starts. With p positions, g Gaussians (p, or 1 that all
/// positions share), d dimensions, t = d (d + 1) / 2 and n images: statistics take 8 g (d + t) bytes; the model g (4 d +
/// 2 t + 2 d), or p (4 d + 4 r d + 4 r (r + 1) / 2) if that is less for rank r = n - 1. Memory holds both, a batch of
/// embeddings with 4 p d each, moments with 8 p (d + 1) for Ledoit and Wolf's shrinkage, 8 p d for a ridge that depends
/// on the image left out (40 t for each core where positions share a Gaussian), and the program, backbone and images.
/// Embeddings take m (4 p d + 3 s) on disk, with s the pixels at the image size and m the images without an embedding
/// from an earlier fit.
/// </summary>
/// <param name="StatisticsBytes">Size of the growing sums, in memory and as a file.</param>
/// <param name="ModelBytes">Size of the frozen distribution, in memory and as a file.</param>
/// <param name="MemoryBytes">Peak memory of the process.</param>
/// <param name="EmbeddingBytes">Size of new embeddings and pixels on disk; 0 if the number of images is
/// unknown.</param>
public sealed record FitEstimate(long StatisticsBytes, long ModelBytes, long MemoryBytes, long EmbeddingBytes)
{
    /// <summary>The largest batch of images for statistics: larger ones are not faster.</summary>
    private const int MaxBatchSize = 32;

    /// <summary>The largest size of a batch in bytes: large embeddings need smaller batches.</summary>
    private const long MaxBatchBytes = 512L << 20;

    /// <summary>Memory for the program, the backbone and images that are being decoded.</summary>
    private const long BaselineBytes = 256L << 20;

    /// <summary>Memory per pixel of two large images that are measured at a time.</summary>
    private const long LargeImageBytes = 64;

    /// <summary>
    /// The share of the available memory that a fit may use; the rest is for other work of the process.
    /// </summary>
    private const double UsableShare = 0.9;

    private long Entries { get; init; }

    private long EmbeddingValues { get; init; }

    private bool IsShared { get; init; }

    private string Shape { get; init; } = "";

    private string Advice =>
        (IsShared ? "Use " : "Use positions: shared, ") + "fewer dimensions or a smaller image size.";

    /// <summary>Gets the number of bytes that the fit writes to disk.</summary>
    public long DiskBytes => StatisticsBytes + ModelBytes + EmbeddingBytes;

    /// <summary>Creates an estimate.</summary>
    /// <param name="settings">The settings of the fit.</param>
    /// <param name="patches">The grid of patch positions.</param>
    /// <param name="dimensions">Number of dimensions d after the reduction.</param>
    /// <param name="images">Number of images n; null if it is not known yet, which assumes a model of full
    /// rank.</param>
    /// <param name="embedded">Number of images m that still need an embedding; null for all.</param>
    public static FitEstimate Create(
        FitSettings settings,
        Grid patches,
        int dimensions,
        int? images,
        int? embedded = null
    )
    {
        var p = (long)patches.Height * patches.Width;
        var d = (long)dimensions;
        var triangle = d * (d + 1) / 2;
        var isShared = settings.Positions == PatchPositions.Shared;
        var gaussians = isShared ? 1 : p;
        var rank = images - 1L ?? long.MaxValue;
        var statistics = 8 * gaussians * (d + triangle);
        var subspace =
            rank <= d ? Math.Max(rank, 1) * d + Math.Max(rank, 1) * (Math.Max(rank, 1) + 1) / 2 : long.MaxValue;
        var model =
            gaussians
            * (4 * d + (rank < d && !isShared ? Math.Min(4 * subspace, 2 * (triangle + d)) : 2 * (triangle + d)));
        var moments = settings.Shrinkage == ShrinkageMethod.LedoitWolf ? 8 * p * (d + 1) : 0;
        // The factors of the reflections that leave-one-out scores need where the ridge depends on the image.
        var reflections =
            !isShared && (settings.Shrinkage != ShrinkageMethod.None || settings.RelativeRidge > 0) ? 8 * p * d : 0;
        // The sums of an image, and the factor without it, for each core.
        var workers = isShared ? 8 * 5 * triangle * Environment.ProcessorCount : 0;
        var batch = GetBatchSize(patches, dimensions, settings.Tiles is not null);
        // Small images are part of the baseline. Of a large one there are the pixels of a batch, and the map and what it
        // is measured by.
        var pixels = settings.Tiles is null ? 0 : (3 * batch + LargeImageBytes) * settings.GetPreparedSize().Positions;
        var memory = statistics + model + moments + reflections + workers + batch * 4 * p * d + pixels + BaselineBytes;
        return new FitEstimate(
            statistics,
            model,
            memory,
            (embedded ?? images ?? 0) * (4 * p * d + 3L * settings.GetImageSize().Positions)
        )
        {
            Entries = gaussians * triangle,
            EmbeddingValues = p * d,
            IsShared = isShared,
            Shape = $"{patches.Height} x {patches.Width} positions and {dimensions} dimensions",
        };
    }

    /// <summary>
    /// Gets the number of embeddings per batch. It depends on their shape only, so the same images give the same bytes
    /// on every machine.
    /// </summary>
    /// <param name="patches">The grid of patch positions.</param>
    /// <param name="dimensions">Number of dimensions d.</param>
    /// <param name="isTiled">Whether images are cut into tiles: then a batch may be one image.</param>
    public static int GetBatchSize(Grid patches, int dimensions, bool isTiled = false) =>
        (int)
            Math.Clamp(
                MaxBatchBytes / (4L * patches.Height * patches.Width * dimensions),
                isTiled ? 1 : 4,
                MaxBatchSize
            );

    /// <summary>Gets a sentence that says why the fit needs too much memory; null if it does not.</summary>
    /// <param name="availableMemory">Memory that this process may use, in bytes.</param>
    public string? ValidateMemory(long availableMemory)
    {
        if (MemoryBytes > UsableShare * availableMemory)
            return $"A fit with {Shape} requires {FormatBytes(MemoryBytes)} of memory; "
                + $"{FormatBytes(availableMemory)} are available, of which a fit may use {UsableShare * 100:f0} %. "
                + Advice;
        if (Entries > Array.MaxLength)
            return string.Create(
                    CultureInfo.InvariantCulture,
                    $"A fit with {Shape} has {Entries:n0} scatter entries; at most {Array.MaxLength:n0} are supported. "
                ) + Advice;
        return EmbeddingValues > Array.MaxLength
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"An image with {Shape} has {EmbeddingValues:n0} values; at most {Array.MaxLength:n0} are supported. "
            ) + Advice
            : null;
    }

    /// <summary>Formats a number of bytes, such as "512 MiB" or "1.5 GiB".</summary>
    public static string FormatBytes(long bytes) =>
        bytes < 1L << 30
            ? FormattableString.Invariant($"{bytes / (double)(1L << 20):f0} MiB")
            : FormattableString.Invariant($"{bytes / (double)(1L << 30):f1} GiB");
}
