using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Learning;

/// <summary>Settings of candidates that score in the shadow.</summary>
internal sealed class ShadowOptions
{
    /// <summary>Megabytes of photographs that may wait for candidates; one more is not scored by them, and counted.</summary>
    [Range(1, 65_536)]
    public int ShadowQueueMegabytes { get; set; } = 64;
}
