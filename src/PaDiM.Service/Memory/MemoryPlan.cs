using PaDiM.Core.Models;
using PaDiM.Engine.Machine;

namespace PaDiM.Service.Memory;

/// <summary>
/// How the memory of the process is divided, decided once when it starts. The kernel kills a process that exceeds the
/// limit of its container, so the parts that grow with the load are bounded: together at most five eighths of the
/// memory. The rest is for the program, its backbones and fits. While a fit needs more than that, loaded models give way.
/// </summary>
/// <param name="Limit">The memory that the process may use.</param>
/// <param name="ModelCache">Models that are ready to score.</param>
/// <param name="Decoding">Images of requests that are being decoded; jobs have the same again.</param>
/// <param name="Bodies">Encoded images of requests that are being received or scored.</param>
/// <param name="Fits">Fits that run, the program included, and the models that stay loaded beside them.</param>
internal sealed record MemoryPlan(
    MemoryLimit Limit,
    MemoryShare ModelCache,
    MemoryShare Decoding,
    MemoryShare Bodies,
    MemoryShare Fits
)
{
    private const long LargestModelCache = 4L << 30,
        LargestDecoding = 1L << 30,
        LargestBodies = 1L << 30;

    private const int ModelCachePart = 4,
        DecodingPart = 8,
        BodiesPart = 8,
        LargestImagePart = 4,
        SmallestFitsPart = 4;

    /// <summary>
    /// Gets the memory that decoding one image may take. An image that needs more than <see cref="Decoding"/> is
    /// decoded alone; one that needs more than this is refused.
    /// </summary>
    public long LargestDecodeBytes => Math.Max(Decoding.Bytes, Limit.Bytes / LargestImagePart);

    /// <summary>Divides the memory.</summary>
    /// <param name="limit">The memory that the process may use.</param>
    /// <param name="heapLimit">The most memory that the runtime allows for its heap, which holds the sums of a fit.</param>
    /// <param name="options">What is set.</param>
    public static MemoryPlan Create(MemoryLimit limit, long heapLimit, MemoryOptions options)
    {
        var decoding = Divide(
            limit,
            DecodingPart,
            LargestDecoding,
            options.DecodeMemoryBytes,
            nameof(options.DecodeMemoryBytes)
        );
        var bodies = Divide(limit, BodiesPart, LargestBodies, options.BodyMemoryBytes, nameof(options.BodyMemoryBytes));
        return new MemoryPlan(
            limit,
            Divide(limit, ModelCachePart, LargestModelCache, options.ModelCacheBytes, nameof(options.ModelCacheBytes)),
            decoding,
            bodies,
            DivideForFits(limit, heapLimit, 2 * decoding.Bytes + bodies.Bytes)
        );
    }

    private static MemoryShare DivideForFits(MemoryLimit limit, long heapLimit, long images)
    {
        var whole = $"{FitEstimate.FormatBytes(limit.Bytes)} ({limit.Source})";
        var (bytes, reason) =
            limit.Bytes - images >= limit.Bytes / SmallestFitsPart
                ? (limit.Bytes - images, $"what the images of requests and jobs leave of {whole}")
                : (limit.Bytes / SmallestFitsPart, $"1/{SmallestFitsPart} of {whole}");
        return bytes <= heapLimit
            ? new MemoryShare(bytes, reason)
            : new MemoryShare(heapLimit, "the limit of the runtime's heap (DOTNET_GCHeapHardLimit)");
    }

    private static MemoryShare Divide(MemoryLimit limit, int part, long largest, long? setting, string name) =>
        setting is { } bytes ? new MemoryShare(bytes, $"the setting {name}")
        : limit.Bytes / part < largest
            ? new MemoryShare(
                limit.Bytes / part,
                $"1/{part} of {FitEstimate.FormatBytes(limit.Bytes)} ({limit.Source})"
            )
        : new MemoryShare(largest, $"the most without the setting {name}");
}
