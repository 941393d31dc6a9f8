using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>
/// What a fit needs, known before it starts. With p positions, d dimensions, t = d (d + 1) / 2 and n images: statistics
/// 8 p (d + t) bytes; model p (4 d + 2 t + 2 d), or p (4 d + 4 r d + 4 r (r + 1) / 2) where that is less for r = n - 1
/// images; memory the two together, a batch of embeddings of 4 p d each, with Ledoit and Wolf's shrinkage 8 p (d + 1)
/// of moments, and what program, backbone and images take; embeddings m (4 p d + 3 s^2) on disk, s the image size, m
/// the images that are not kept from an earlier fit.
/// </summary>
/// <param name="StatisticsBytes">Size of the growing sums, in memory and as a file.</param>
/// <param name="ModelBytes">Size of the frozen distribution, in memory and as a file.</param>
/// <param name="MemoryBytes">Peak memory of the process.</param>
/// <param name="EmbeddingBytes">Embeddings and pixels that it adds to the disk; 0 where the number of images is not
/// known.</param>
public sealed record FitEstimate(long StatisticsBytes, long ModelBytes, long MemoryBytes, long EmbeddingBytes)
{
    /// <summary>Most images that statistics take at a time: more would not make them faster.</summary>
    private const int MaxBatchSize = 32;

    /// <summary>Large embeddings go in smaller batches.</summary>
    private const long MaxBatchBytes = 512L << 20;

    /// <summary>Program, backbone, images being decoded.</summary>
    private const long BaselineBytes = 256L << 20;

    /// <summary>
    /// The share of the available memory that a fit may take: the rest is for what else the process does.
    /// </summary>
    private const double UsableShare = 0.9;

    private long Entries { get; init; }

    private string Shape { get; init; } = "";

    /// <summary>All that is written.</summary>
    public long DiskBytes => StatisticsBytes + ModelBytes + EmbeddingBytes;

    /// <summary>Estimates a fit.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="patches">Patch positions.</param>
    /// <param name="dimensions">d, as the reduction gives it.</param>
    /// <param name="images">n, or null where it is not known yet and the model is taken to be of full rank.</param>
    /// <param name="embedded">m, the images that are still to be embedded; null for all.</param>
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
        var rank = images - 1L ?? long.MaxValue;
        var statistics = 8 * p * (d + triangle);
        var subspace =
            rank <= d ? Math.Max(rank, 1) * d + Math.Max(rank, 1) * (Math.Max(rank, 1) + 1) / 2 : long.MaxValue;
        var model = p * (4 * d + (rank < d ? Math.Min(4 * subspace, 2 * (triangle + d)) : 2 * (triangle + d)));
        var moments = settings.Shrinkage == ShrinkageMethod.LedoitWolf ? 8 * p * (d + 1) : 0;
        var memory = statistics + model + moments + GetBatchSize(patches, dimensions) * 4 * p * d + BaselineBytes;
        return new FitEstimate(
            statistics,
            model,
            memory,
            (embedded ?? images ?? 0) * (4 * p * d + 3L * settings.ImageSize * settings.ImageSize)
        )
        {
            Entries = p * triangle,
            Shape = $"{patches.Height} x {patches.Width} positions and {dimensions} dimensions",
        };
    }

    /// <summary>
    /// How many embeddings statistics take at a time: it depends on their shape alone, so that the same images give the
    /// same bytes everywhere.
    /// </summary>
    public static int GetBatchSize(Grid patches, int dimensions) =>
        (int)Math.Clamp(MaxBatchBytes / (4L * patches.Height * patches.Width * dimensions), 4, MaxBatchSize);

    /// <summary>A sentence about a fit that the memory does not hold; null when it does.</summary>
    /// <param name="availableMemory">Bytes that this process may use.</param>
    public string? FindMisfit(long availableMemory)
    {
        if (MemoryBytes > UsableShare * availableMemory)
            return $"A fit with {Shape} needs {FormatBytes(MemoryBytes)} of memory; {FormatBytes(availableMemory)} are there, of which a fit may take {UsableShare * 100:f0} %. Use fewer dimensions or a smaller image size.";
        return Entries > Array.MaxLength
            ? FormattableString.Invariant(
                $"A fit with {Shape} has {Entries:n0} entries of its scatters; at most {Array.MaxLength:n0} can be held. Use fewer dimensions or a smaller image size."
            )
            : null;
    }

    /// <summary>A number of bytes for people.</summary>
    public static string FormatBytes(long bytes) =>
        bytes < 1L << 30
            ? FormattableString.Invariant($"{bytes / (double)(1L << 20):f0} MiB")
            : FormattableString.Invariant($"{bytes / (double)(1L << 30):f1} GiB");
}
