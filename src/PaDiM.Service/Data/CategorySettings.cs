using System.Text.Json.Serialization;
using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Service.Data;

/// <summary>Sets of defaults.</summary>
internal enum SettingsProfile
{
    /// <summary>Whole image at 256 x 256, semi-orthogonal reduction.</summary>
    Default,

    /// <summary>As in the paper: resize to 256, centre crop 224, random reduction.</summary>
    Paper,
}

/// <summary>The settings of a category's next fit, with every value resolved.</summary>
internal sealed record CategorySettings
{
    public required string Backbone { get; init; }

    /// <summary>
    /// The category whose images this one takes, decided when it is created; null for a category with images of its
    /// own.
    /// </summary>
    public string? ImagesOf { get; init; }

    public SettingsProfile Profile { get; init; }

    /// <summary>Not used with two sides.</summary>
    public int ImageSize { get; init; }

    public int? ImageWidth { get; init; }

    public int? ImageHeight { get; init; }

    /// <summary>Null for categories of before, which stretch.</summary>
    public AspectMode? Aspect { get; init; }

    public int? CropSize { get; init; }

    /// <summary>Null for categories of before, whose positions have Gaussians of their own.</summary>
    public PatchPositions? Positions { get; init; }

    public ReductionMethod Method { get; init; }

    public int Dimensions { get; init; }

    public int Seed { get; init; }

    public bool LocalAverage { get; init; }

    public double Epsilon { get; init; }

    /// <summary>Null for categories of before, which have none.</summary>
    public double? RelativeRidge { get; init; }

    /// <summary>Null for categories of before, which have none.</summary>
    public double? QuietExponent { get; init; }

    public double BlurSigma { get; init; }

    public ImageScoreMethod ImageScore { get; init; }

    /// <summary>Share of normal images that may be reviewed or rejected; null for no review.</summary>
    public double? ReviewRate { get; init; }

    /// <summary>Codes of warnings that refuse an image, in order, joined by commas; null for none.</summary>
    public string? RefuseOn { get; init; }

    public ShrinkageMethod Shrinkage { get; init; }

    public AlignmentMethod Alignment { get; init; }

    public int? SignificantBits { get; init; }

    /// <summary>Side of a tile; null for the whole image at once.</summary>
    public int? TileSize { get; init; }

    /// <summary>How far tiles overlap; null without tiles.</summary>
    public int? TileOverlap { get; init; }

    [JsonIgnore]
    public TileSettings? Tiles => TileSize is { } size ? new TileSettings(size, TileOverlap ?? 0) : null;

    /// <summary>The box that the model sees of each image, as four numbers; null for all of it.</summary>
    public string? Region { get; init; }

    /// <summary>Null for the default.</summary>
    public KeptInspections? InspectionKeep { get; init; }

    /// <summary>Which images, as text; null for the default.</summary>
    public string? InspectionImages { get; init; }

    /// <summary>Null for the default.</summary>
    public int? InspectionDays { get; init; }

    /// <summary>Null for what the service allows.</summary>
    public long? InspectionBytes { get; init; }

    /// <summary>Null for no.</summary>
    public bool? InspectionDurable { get; init; }

    [JsonIgnore]
    public InspectionSettings Inspections =>
        new(
            InspectionKeep ?? InspectionSettings.Default.Keep,
            (InspectionImages is null ? null : KeptImages.TryParse(InspectionImages)) ?? KeptImages.Default,
            InspectionDays ?? InspectionSettings.DefaultDays,
            InspectionBytes,
            InspectionDurable ?? false
        );

    [JsonIgnore]
    public IReadOnlyList<string> RefusedWarnings => RefuseOn?.Split(',') ?? [];

    [JsonIgnore]
    public FitSettings Fit =>
        new()
        {
            ImageSize = ImageSize,
            ImageWidth = ImageWidth,
            ImageHeight = ImageHeight,
            Aspect = Aspect ?? AspectMode.Stretch,
            CropSize = CropSize,
            Positions = Positions ?? PatchPositions.Own,
            Reduction = Method,
            Dimensions = Dimensions,
            Seed = Seed,
            LocalAverage = LocalAverage,
            Epsilon = Epsilon,
            RelativeRidge = RelativeRidge ?? 0,
            QuietExponent = QuietExponent ?? 0,
            BlurSigma = BlurSigma,
            ImageScore = ImageScore,
            Shrinkage = Shrinkage,
            Alignment = Alignment,
            SignificantBits = SignificantBits,
            Tiles = Tiles,
            Region = Region is null ? null : ImageRegion.TryParse(Region),
        };
}
