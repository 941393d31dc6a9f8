using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Scoring;

/// <summary>Settings of scoring in batches.</summary>
internal sealed class ScoringOptions
{
    /// <summary>Most images in one request to score a batch.</summary>
    [Range(1, 100_000)]
    public int MaxBatchFiles { get; set; } = 256;

    /// <summary>Maximum number of images per pass through the backbone, or through the distances.</summary>
    [Range(1, 256)]
    public int MaxBatchSize { get; set; } = 8;

    /// <summary>
    /// How long an image may wait for its batch to fill, in milliseconds; 0 to run with the images that are waiting. A
    /// wait pays off on a GPU, where a batch costs little more than one image.
    /// </summary>
    [Range(0, 1000)]
    public int MaxBatchWaitMs { get; set; }
}
