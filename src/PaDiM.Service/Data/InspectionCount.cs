using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>
/// The inspections of a quarter of an hour, by p-value: what figures add up in place of millions of rows. Triggers of the
/// ledger's tables keep it, so that it is right whatever inserts and deletes. A replica has counts of its own, so that none
/// waits for another one's batch.
/// </summary>
internal sealed class InspectionCount
{
    /// <summary>A quarter of an hour: time zones and most shifts begin at one.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMinutes(15);

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    /// <summary>The number of its quarter since 1970.</summary>
    public long Quarter { get; init; }

    [MaxLength(253)]
    public required string Replica { get; init; }

    public Decision Decision { get; init; }

    /// <summary>Inspections with a p-value in the first tenth.</summary>
    public int P0 { get; init; }

    public int P1 { get; init; }

    public int P2 { get; init; }

    public int P3 { get; init; }

    public int P4 { get; init; }

    public int P5 { get; init; }

    public int P6 { get; init; }

    public int P7 { get; init; }

    public int P8 { get; init; }

    /// <summary>Inspections with a p-value in the last tenth.</summary>
    public int P9 { get; init; }
}
