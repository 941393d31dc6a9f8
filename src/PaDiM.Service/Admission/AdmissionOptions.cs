using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Admission;

/// <summary>Limits of the images that are in progress at the same time.</summary>
internal sealed class AdmissionOptions
{
    /// <summary>
    /// Images in progress, from their last byte to their answer; one more is answered with 503. Images of batches hold
    /// at most half of the places.
    /// </summary>
    [Range(1, 100_000)]
    public int QueueCapacity { get; set; } = 64;
}
