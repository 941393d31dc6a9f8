using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Categories;

/// <summary>Settings that bound what categories hold in memory.</summary>
internal sealed class CategoryOptions
{
    /// <summary>
    /// Memory for models that are ready to score, in bytes, on the host and the device together. The least recently
    /// used models are evicted; the models of pinned categories must fit together.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long ModelCacheBytes { get; set; } = 4L << 30;
}
