using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Inspections;

/// <summary>Settings of the ledger of inspections.</summary>
internal sealed class InspectionOptions
{
    /// <summary>Rows that may wait to be written; one more is lost and counted.</summary>
    [Range(100, 1_000_000)]
    public int InspectionQueueRows { get; set; } = 10_000;

    /// <summary>Megabytes of images that may wait to be kept; one more is not kept and counted.</summary>
    [Range(1, 65_536)]
    public int InspectionQueueMegabytes { get; set; } = 64;

    /// <summary>
    /// Megabytes of images that all categories keep together; the oldest of the category with the most make room. Null
    /// for a tenth of the disk of the data directory.
    /// </summary>
    [Range(0, 1_000_000_000)]
    public int? InspectionImageMegabytes { get; set; }
}
