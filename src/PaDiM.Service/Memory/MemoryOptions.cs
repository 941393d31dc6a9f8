using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Memory;

/// <summary>Settings that divide the memory. What is not set follows from the memory that the process may use.</summary>
internal sealed class MemoryOptions
{
    /// <summary>
    /// Memory for models that are ready to score, in bytes, on the host and the device together. The least recently
    /// used models are evicted; the models of pinned categories must fit together.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long? ModelCacheBytes { get; set; }

    /// <summary>
    /// Memory for all images that are being decoded, in bytes, at 10 bytes per pixel. When it is short, images wait.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long? DecodeMemoryBytes { get; set; }

    /// <summary>
    /// Memory for the encoded images that are being received or scored, in bytes. When it is short, images are refused.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long? BodyMemoryBytes { get; set; }
}
