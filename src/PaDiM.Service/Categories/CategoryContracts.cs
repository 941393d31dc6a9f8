using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Statistics;
using PaDiM.Service.Data;

namespace PaDiM.Service.Categories;

/// <summary>Settings of a category; everything left out takes the profile's value.</summary>
internal sealed record CategoryRequest
{
    /// <summary>Name of a backbone, see GET /v1/backbones; the service's default when left out.</summary>
    public string? Backbone { get; init; }

    /// <summary>
    /// Set of defaults: <c>default</c> (whole image) or <c>paper</c> (centre crop 224, random channels, the paper's
    /// dimensions for the backbone).
    /// </summary>
    public SettingsProfile? Profile { get; init; }

    /// <summary>Side that images are resized to, in pixels, 32 to 2048.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Side of the centre crop after resizing, in pixels, 32 to imageSize; none by default.</summary>
    public int? CropSize { get; init; }

    /// <summary>How channels are reduced.</summary>
    public ReductionRequest? Reduction { get; init; }

    /// <summary>Added to every variance; 1e-9 to 100.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Standard deviation of the smoothing, in pixels of the prepared image, 0 to 64.</summary>
    public double? BlurSigma { get; init; }

    /// <summary>
    /// How far covariances are pulled towards a sphere: <c>none</c>, <c>ledoit-wolf</c> or <c>oas</c>. For few images.
    /// </summary>
    public ShrinkageMethod? Shrinkage { get; init; }

    /// <summary>
    /// How parts that lie differently in each photograph are brought to one place: <c>none</c>, or <c>rigid</c> for a
    /// rotation and a shift.
    /// </summary>
    public AlignmentMethod? Alignment { get; init; }

    /// <summary>Share of good parts that may be rejected, above 0 and below 1.</summary>
    public double? FalseRejectRate { get; init; }

    /// <summary>
    /// Share of good parts that may be sent to review or rejected; above falseRejectRate and below 1. Null for two
    /// decisions only.
    /// </summary>
    public double? ReviewRate { get; init; }

    /// <summary>
    /// Keeps the active model in memory from the start of the service on, whatever else is asked for.
    /// </summary>
    public bool Pinned { get; init; }
}

/// <summary>How channels are reduced.</summary>
internal sealed record ReductionRequest
{
    /// <summary><c>semi-orthogonal</c>, <c>random</c> or <c>none</c>.</summary>
    public ReductionMethod? Method { get; init; }

    /// <summary>Dimensions of the embedding, 1 to the backbone's channels; not read by <c>none</c>.</summary>
    public int? Dimensions { get; init; }

    /// <summary>Seed of the draw.</summary>
    public int? Seed { get; init; }
}

/// <summary>A category as it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Backbone">Name of the network.</param>
/// <param name="Profile">Set of defaults that the settings began with.</param>
/// <param name="ImageSize">Side that images are resized to, in pixels.</param>
/// <param name="CropSize">Side of the centre crop after resizing, in pixels.</param>
/// <param name="Reduction">How channels are reduced.</param>
/// <param name="Epsilon">Added to every variance.</param>
/// <param name="BlurSigma">Standard deviation of the smoothing, in pixels of the prepared image.</param>
/// <param name="Shrinkage">How far covariances are pulled towards a sphere.</param>
/// <param name="Alignment">How parts that lie differently in each photograph are brought to one place.</param>
/// <param name="IgnoreMaskSha256">Hash of the ignore mask that the next fit uses; null when all pixels count.</param>
/// <param name="FalseRejectRate">Share of good parts that may be rejected.</param>
/// <param name="ReviewRate">Share of good parts that may be sent to review or rejected; null for two decisions
/// only.</param>
/// <param name="Pinned">Its active model stays in memory.</param>
/// <param name="ActiveModelVersion">The version that scores; null before the first fit.</param>
/// <param name="Images">Stored images by label.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UpdatedAt">When its settings last changed.</param>
internal sealed record CategoryResponse(
    string Name,
    string Backbone,
    SettingsProfile Profile,
    int ImageSize,
    int? CropSize,
    ReductionResponse Reduction,
    double Epsilon,
    double BlurSigma,
    ShrinkageMethod Shrinkage,
    AlignmentMethod Alignment,
    string? IgnoreMaskSha256,
    double FalseRejectRate,
    double? ReviewRate,
    bool Pinned,
    int? ActiveModelVersion,
    ImageCounts Images,
    DateTime CreatedAt,
    DateTime UpdatedAt
);

/// <summary>How channels are reduced.</summary>
/// <param name="Method"><c>semi-orthogonal</c>, <c>random</c> or <c>none</c>.</param>
/// <param name="Dimensions">Dimensions of the embedding.</param>
/// <param name="Seed">Seed of the draw.</param>
internal sealed record ReductionResponse(ReductionMethod Method, int Dimensions, int Seed);

/// <summary>Stored images by label.</summary>
/// <param name="Normal">Of good parts.</param>
/// <param name="Anomalous">Of defective parts.</param>
internal sealed record ImageCounts(int Normal, int Anomalous);
