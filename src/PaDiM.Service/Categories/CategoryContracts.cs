using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Service.Data;

namespace PaDiM.Service.Categories;

/// <summary>Settings of a category. Omitted values take the profile's defaults.</summary>
internal sealed record CategoryRequest
{
    /// <summary>
    /// Name of a category whose images this one takes, as a region of interest of the same photographs. Decided when
    /// the category is created; later requests may omit it.
    /// </summary>
    public string? ImagesOf { get; init; }

    /// <summary>Name of a backbone, see GET /v1/backbones. Default: the service's default backbone.</summary>
    public string? Backbone { get; init; }

    /// <summary>
    /// Set of defaults: <c>default</c> (whole image) or <c>paper</c> (centre crop 224, random channels, the paper's
    /// dimensions for the backbone).
    /// </summary>
    public SettingsProfile? Profile { get; init; }

    /// <summary>
    /// Side of the square to which images are resized, in pixels, 32 to 2048; with tiles, up to 8192. Not together
    /// with imageWidth and imageHeight.
    /// </summary>
    public int? ImageSize { get; init; }

    /// <summary>
    /// Width to which images are resized, in pixels, within the same bounds; together with imageHeight, in place of
    /// imageSize.
    /// </summary>
    public int? ImageWidth { get; init; }

    /// <summary>
    /// Height to which images are resized, in pixels, within the same bounds; together with imageWidth, in place of
    /// imageSize.
    /// </summary>
    public int? ImageHeight { get; init; }

    /// <summary>
    /// What becomes of images of another shape: <c>stretch</c> does not keep the aspect ratio, <c>letterbox</c> shows
    /// all of the image and leaves a border that never counts, <c>crop</c> cuts off what sticks out.
    /// </summary>
    public AspectMode? Aspect { get; init; }

    /// <summary>
    /// Side length of the centre crop after resizing, in pixels, 32 to the shorter side; no crop by default.
    /// </summary>
    public int? CropSize { get; init; }

    /// <summary>
    /// Whether each position has a Gaussian of its own (<c>own</c>), or all share one (<c>shared</c>): for textures, and
    /// for parts that lie differently in each photograph.
    /// </summary>
    public PatchPositions? Positions { get; init; }

    /// <summary>
    /// Overlapping tiles in which a large image passes through the backbone, so that imageSize may be as large as
    /// 8192; null, the default, for the whole image at once.
    /// </summary>
    public TilesRequest? Tiles { get; init; }

    /// <summary>How channels are reduced.</summary>
    public ReductionRequest? Reduction { get; init; }

    /// <summary>
    /// Whether each tap of the backbone is averaged with its neighbours at its own resolution, [1 4 1] x [1 4 1] / 36.
    /// </summary>
    public bool? LocalAverage { get; init; }

    /// <summary>Added to every variance; 1e-9 to 100. Not used with a relativeRidge.</summary>
    public double? Epsilon { get; init; }

    /// <summary>
    /// Share of the mean variance over all positions that is added to every variance, 0 to 100; 0 adds epsilon instead.
    /// </summary>
    public double? RelativeRidge { get; init; }

    /// <summary>
    /// How much less positions count that vary less than half of the mean, 0 to 4: squared distances are multiplied by
    /// their variance over half of the mean variance, to this power. 0 for no less.
    /// </summary>
    public double? QuietExponent { get; init; }

    /// <summary>Standard deviation of the smoothing, in pixels of the prepared image, 0 to 64.</summary>
    public double? BlurSigma { get; init; }

    /// <summary>
    /// The score of an image: <c>max</c> for its largest pixel, or <c>top</c> for the mean of the highest 1 % of the
    /// pixels that count.
    /// </summary>
    public ImageScoreMethod? ImageScore { get; init; }

    /// <summary>
    /// Shrinkage of the covariances towards a sphere, for few images: <c>none</c>, <c>ledoit-wolf</c>, <c>oas</c> or
    /// <c>auto</c>, which is <c>oas</c> for fewer than 16 images without a still background, otherwise <c>none</c>.
    /// </summary>
    public ShrinkageMethod? Shrinkage { get; init; }

    /// <summary>
    /// Alignment of parts whose position varies between photographs: <c>none</c>, or <c>rigid</c> for rotation and
    /// translation.
    /// </summary>
    public AlignmentMethod? Alignment { get; init; }

    /// <summary>
    /// Bits that count in samples of more than 8 bits, 8 to 16: 10 or 12 for a camera that sends as many in 16. Null
    /// for those that each file states, else all. Files of 8 bits are not concerned.
    /// </summary>
    public int? SignificantBits { get; init; }

    /// <summary>
    /// The box of each photograph that is inspected, in fractions of its width and height; all of it by default. With
    /// alignment, the box follows the part.
    /// </summary>
    public RegionRequest? Region { get; init; }

    /// <summary>Accepted share of false rejects, above 0 and below 1.</summary>
    public double? FalseRejectRate { get; init; }

    /// <summary>
    /// Share of good parts that may be reviewed or rejected; above falseRejectRate and below 1. Null for no review.
    /// </summary>
    public double? ReviewRate { get; init; }

    /// <summary>
    /// Warnings that refuse an image instead of deciding about it: <c>size_differs</c>, <c>too_dark</c>,
    /// <c>overexposed</c>, <c>blurred</c>, <c>low_range</c>, <c>unlike_training</c> and <c>file_repaired</c>. None by
    /// default.
    /// </summary>
    public IReadOnlyList<string>? RefuseOn { get; init; }

    /// <summary>What is kept of the inspections: rows of what was scored, and images.</summary>
    public InspectionsRequest? Inspections { get; init; }

    /// <summary>Whether to keep the active model in memory from start-up, regardless of the cache budget.</summary>
    public bool Pinned { get; init; }
}

/// <summary>What is kept of a category's inspections. Omitted values take their defaults.</summary>
internal sealed record InspectionsRequest
{
    /// <summary>
    /// Which inspections: <c>all</c>, <c>review</c> for those that are not normal, <c>anomalous</c> or <c>none</c>. Default:
    /// <c>all</c>.
    /// </summary>
    public KeptInspections? Keep { get; init; }

    /// <summary>
    /// Which of their images: <c>all</c>, <c>review</c> for those of what is not normal, <c>anomalous</c>, <c>none</c>, or a
    /// share of all such as <c>sample:0.01</c>. Default: <c>review</c>.
    /// </summary>
    public string? Images { get; init; }

    /// <summary>For how many days, 1 to 3660. Default: 90.</summary>
    public int? Days { get; init; }

    /// <summary>
    /// Bytes of images that are kept at most, 0 to 2^53; the oldest make room. Default: null, for what the service allows
    /// all categories together.
    /// </summary>
    public long? Bytes { get; init; }

    /// <summary>
    /// Whether an answer waits until its row is on the disk. Otherwise a crash may lose the rows of the last second.
    /// Default: false.
    /// </summary>
    public bool? Durable { get; init; }
}

/// <summary>How channels are reduced.</summary>
internal sealed record ReductionRequest
{
    /// <summary><c>semi-orthogonal</c>, <c>random</c> or <c>none</c>.</summary>
    public ReductionMethod? Method { get; init; }

    /// <summary>Dimensions of the embedding, 1 to the backbone's channels; ignored for <c>none</c>.</summary>
    public int? Dimensions { get; init; }

    /// <summary>Random seed.</summary>
    public int? Seed { get; init; }
}

/// <summary>
/// Tiles of a large image. Size, overlap and imageSize are multiples of the coarsest stride of the backbone's taps, such
/// as 16.
/// </summary>
internal sealed record TilesRequest
{
    /// <summary>Side length of a tile, in pixels, 32 to 2048 and at most imageSize.</summary>
    public required int Size { get; init; }

    /// <summary>How far tiles overlap, in pixels, 0 to half of the size; 64 by default, or half of a small size.</summary>
    public int? Overlap { get; init; }
}

/// <summary>A box of an upright photograph, in fractions of its width and height.</summary>
internal sealed record RegionRequest
{
    /// <summary>Left edge, from 0.</summary>
    public double? X { get; init; }

    /// <summary>Upper edge, from 0.</summary>
    public double? Y { get; init; }

    /// <summary>Width, 0.001 to 1; x + width is at most 1.</summary>
    public double? Width { get; init; }

    /// <summary>Height, 0.001 to 1; y + height is at most 1.</summary>
    public double? Height { get; init; }
}

/// <summary>A category.</summary>
/// <param name="Name">Name.</param>
/// <param name="ImagesOf">The category whose images this one takes; null for images of its own.</param>
/// <param name="Backbone">Name of the backbone.</param>
/// <param name="Profile">Set of defaults that the settings are based on.</param>
/// <param name="ImageSize">Side of the square to which images are resized, in pixels; null if there are two
/// sides.</param>
/// <param name="ImageWidth">Width to which images are resized, in pixels; null for a square.</param>
/// <param name="ImageHeight">Height to which images are resized, in pixels; null for a square.</param>
/// <param name="Aspect">What becomes of images of another shape.</param>
/// <param name="CropSize">Side length of the centre crop after resizing, in pixels.</param>
/// <param name="Positions">Whether each position has a Gaussian of its own, or all share one.</param>
/// <param name="Tiles">Tiles in which images pass through the backbone; null for the whole image at once.</param>
/// <param name="Reduction">How channels are reduced.</param>
/// <param name="LocalAverage">Whether each tap of the backbone is averaged with its neighbours.</param>
/// <param name="Epsilon">Added to every variance, unless there is a relative ridge.</param>
/// <param name="RelativeRidge">Share of the mean variance that is added to every variance; 0 for epsilon.</param>
/// <param name="QuietExponent">How much less positions count that hardly vary; 0 for no less.</param>
/// <param name="BlurSigma">Standard deviation of the smoothing, in pixels of the prepared image.</param>
/// <param name="ImageScore">The score of an image: its largest pixel, or the mean of the highest 1 %.</param>
/// <param name="Shrinkage">Shrinkage of the covariances towards a sphere.</param>
/// <param name="Alignment">Alignment of parts whose position varies between photographs.</param>
/// <param name="SignificantBits">Bits that count in samples of more than 8 bits; null for those that each file states,
/// else all.</param>
/// <param name="Region">The box of each photograph that is inspected; null for all of it.</param>
/// <param name="IgnoreMaskSha256">Hash of the ignore mask for the next fit; null if all pixels count.</param>
/// <param name="FalseRejectRate">Accepted share of false rejects.</param>
/// <param name="ReviewRate">Share of good parts that may be reviewed or rejected; null for no review.</param>
/// <param name="RefuseOn">Warnings that refuse an image instead of deciding about it.</param>
/// <param name="Inspections">What is kept of the inspections.</param>
/// <param name="Pinned">Whether the active model stays in memory.</param>
/// <param name="ActiveModelVersion">The active model version; null before the first fit.</param>
/// <param name="ShadowVersion">The version that scores in the shadow of the active one; null for none.</param>
/// <param name="Images">Number of stored images per label; those of imagesOf, if there is one.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="UpdatedAt">Time of the last change of the settings.</param>
internal sealed record CategoryResponse(
    string Name,
    string? ImagesOf,
    string Backbone,
    SettingsProfile Profile,
    int? ImageSize,
    int? ImageWidth,
    int? ImageHeight,
    AspectMode Aspect,
    int? CropSize,
    PatchPositions Positions,
    TilesResponse? Tiles,
    ReductionResponse Reduction,
    bool LocalAverage,
    double Epsilon,
    double RelativeRidge,
    double QuietExponent,
    double BlurSigma,
    ImageScoreMethod ImageScore,
    ShrinkageMethod Shrinkage,
    AlignmentMethod Alignment,
    int? SignificantBits,
    RegionResponse? Region,
    string? IgnoreMaskSha256,
    double FalseRejectRate,
    double? ReviewRate,
    IReadOnlyList<string> RefuseOn,
    InspectionsResponse Inspections,
    bool Pinned,
    int? ActiveModelVersion,
    int? ShadowVersion,
    ImageCounts Images,
    DateTime CreatedAt,
    DateTime UpdatedAt
);

/// <summary>What is kept of a category's inspections.</summary>
/// <param name="Keep">Which inspections.</param>
/// <param name="Images">Which of their images.</param>
/// <param name="Days">For how many days.</param>
/// <param name="Bytes">Bytes of images that are kept at most; null for what the service allows all categories
/// together.</param>
/// <param name="Durable">Whether an answer waits until its row is on the disk.</param>
internal sealed record InspectionsResponse(KeptInspections Keep, string Images, int Days, long? Bytes, bool Durable)
{
    public static InspectionsResponse Create(InspectionSettings settings) =>
        new(settings.Keep, settings.Images.ToString(), settings.Days, settings.Bytes, settings.Durable);
}

/// <summary>How channels are reduced.</summary>
/// <param name="Method"><c>semi-orthogonal</c>, <c>random</c> or <c>none</c>.</param>
/// <param name="Dimensions">Dimensions of the embedding.</param>
/// <param name="Seed">Random seed.</param>
internal sealed record ReductionResponse(ReductionMethod Method, int Dimensions, int Seed);

/// <summary>Tiles of a large image.</summary>
/// <param name="Size">Side length of a tile, in pixels.</param>
/// <param name="Overlap">How far tiles overlap, in pixels.</param>
internal sealed record TilesResponse(int Size, int Overlap);

/// <summary>A box of an upright photograph, in fractions of its width and height.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Upper edge.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
internal sealed record RegionResponse(double X, double Y, double Width, double Height);

/// <summary>Number of stored images per label.</summary>
/// <param name="Normal">Images of good parts.</param>
/// <param name="Anomalous">Images of defective parts.</param>
/// <param name="HeldOut">Images of good parts that fits leave out; they are among the normal ones.</param>
internal sealed record ImageCounts(int Normal, int Anomalous, int HeldOut);
