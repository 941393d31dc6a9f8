using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>What a person says about a part.</summary>
internal enum Verdict
{
    Good,
    Defective,
    Unsure,
}

/// <summary>An inspection in the ledger.</summary>
internal sealed record StoredInspection
{
    /// <summary>The longest identifier: the client's, and the number of a file of a batch.</summary>
    public const int MaxId = 80;

    public const int MaxName = 128,
        MaxDefect = 64;

    /// <summary>
    /// Sorts by time: <see cref="InspectionKey"/>. The row of an insertion is then the last one of the table, and a page
    /// or a range of time is a range of keys.
    /// </summary>
    public long Key { get; init; }

    /// <summary>Unique within the category.</summary>
    [MaxLength(MaxId)]
    public required string Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    [MaxLength(MaxName)]
    public string? Part { get; init; }

    [MaxLength(MaxName)]
    public string? Station { get; init; }

    [MaxLength(MaxName)]
    public string? Lot { get; init; }

    public Decision Decision { get; init; }

    public double Score { get; init; }

    public double Threshold { get; init; }

    public double PValue { get; init; }

    /// <summary>The category whose model decided; null for the category itself.</summary>
    [MaxLength(CategoryName.MaxLength)]
    public string? DecidedBy { get; init; }

    public int ModelVersion { get; init; }

    public int ThresholdVersion { get; init; }

    public bool Fallback { get; init; }

    /// <summary>Where defects were found: x, y, width, height, area and peak of each, as JSON; null for none.</summary>
    public string? Regions { get; init; }

    /// <summary>Codes, joined by commas; null for none.</summary>
    [MaxLength(400)]
    public string? Warnings { get; init; }

    public int Width { get; init; }

    public int Height { get; init; }

    [MaxLength(64)]
    public required string Sha256 { get; init; }

    /// <summary>The layout of raw pixels, as JSON; null for an encoded image.</summary>
    [MaxLength(200)]
    public string? Layout { get; init; }

    /// <summary>Milliseconds per stage and in total, joined by commas.</summary>
    [MaxLength(100)]
    public required string Timings { get; init; }

    [MaxLength(253)]
    public required string Replica { get; init; }

    /// <summary>Size of the kept image, whose name is the key; null if there is none.</summary>
    public long? ImageBytes { get; init; }

    public Verdict? Verdict { get; init; }

    [MaxLength(MaxDefect)]
    public string? Defect { get; init; }

    [MaxLength(200)]
    public string? VerdictBy { get; init; }

    public DateTime? VerdictAt { get; init; }

    /// <summary>Gets when the photograph was scored.</summary>
    public DateTime At => InspectionKey.GetTime(Key);

    /// <summary>Gets the key of the kept image in the object store.</summary>
    public string ImageKey => $"{InspectionKey.GetImagePrefix(Category)}{Key:x16}";
}
