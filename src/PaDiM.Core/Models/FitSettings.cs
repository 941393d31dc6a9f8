using System.Text.Json.Serialization;
using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>
/// All settings that determine the result of a fit. Two fits with equal settings and the same images give the same
/// model.
/// </summary>
public sealed record FitSettings
{
    /// <summary>The smallest image size and crop size, in pixels.</summary>
    public const int MinSize = 32;

    /// <summary>The largest image size without <see cref="Tiles"/>, and the largest tile, in pixels.</summary>
    public const int MaxSize = 2048;

    /// <summary>The largest image size with <see cref="Tiles"/>, in pixels.</summary>
    public const int MaxTiledSize = 8192;

    /// <summary>The largest golden image of a model with <see cref="Tiles"/>, in pixels.</summary>
    private const int MaxTiledGoldenSize = 1024;

    /// <summary>Side of the template by which a region follows the part.</summary>
    public const int TemplateSide = 256;

    /// <summary>The largest <see cref="Epsilon"/>.</summary>
    public const int MaxEpsilon = 100;

    /// <summary>The largest <see cref="RelativeRidge"/>.</summary>
    public const int MaxRelativeRidge = 100;

    /// <summary>The largest <see cref="QuietExponent"/>.</summary>
    public const int MaxQuietExponent = 4;

    /// <summary>The largest <see cref="BlurSigma"/>, in pixels.</summary>
    public const int MaxBlurSigma = 64;

    /// <summary>The smallest <see cref="SignificantBits"/>.</summary>
    public const int MinSignificantBits = 8;

    /// <summary>The largest <see cref="SignificantBits"/>: the full range.</summary>
    public const int MaxSignificantBits = 16;

    /// <summary>The smallest <see cref="Epsilon"/>: less has no effect in float32.</summary>
    public const double MinEpsilon = 1e-9;

    /// <summary>
    /// Gets the settings of Defard et al.: centre crop 224, random channels, epsilon 0.01, sigma 4, the maximum as score.
    /// Everything that they leave out is off, whatever the defaults are.
    /// </summary>
    public static FitSettings Paper { get; } =
        new()
        {
            CropSize = 224,
            Reduction = ReductionMethod.Random,
            Epsilon = 0.01,
            RelativeRidge = 0,
            QuietExponent = 0,
            LocalAverage = false,
            BlurSigma = 4,
            ImageScore = ImageScoreMethod.Max,
            Shrinkage = ShrinkageMethod.None,
        };

    /// <summary>
    /// Gets the side of the square that images are resized to, in pixels. Not used with <see cref="ImageWidth"/> and
    /// <see cref="ImageHeight"/>.
    /// </summary>
    public int ImageSize { get; init; } = 256;

    /// <summary>
    /// Gets the width that images are resized to, in pixels, together with <see cref="ImageHeight"/>; null for a square.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ImageWidth { get; init; }

    /// <summary>Gets the height that images are resized to, in pixels; null for a square.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ImageHeight { get; init; }

    /// <summary>Gets what becomes of images of another shape than the size that they are resized to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public AspectMode Aspect { get; init; }

    /// <summary>
    /// Gets the side of the square centre crop after resizing, in pixels; null for no crop. A crop hides defects at the
    /// border.
    /// </summary>
    public int? CropSize { get; init; }

    /// <summary>
    /// Gets whether each position has a Gaussian of its own, or all share one. A card that does not say so is of a model
    /// with Gaussians of their own.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public PatchPositions Positions { get; init; }

    /// <summary>
    /// Gets the tiles in which the prepared image passes through the backbone; null for the whole image at once.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TileSettings? Tiles { get; init; }

    /// <summary>Gets how channels are reduced.</summary>
    public ReductionMethod Reduction { get; init; } = ReductionMethod.SemiOrthogonal;

    /// <summary>
    /// Gets the number of dimensions d of the embedding; ignored by <see cref="ReductionMethod.None"/>.
    /// </summary>
    public int Dimensions { get; init; } = 100;

    /// <summary>Gets the seed of the reduction's draw.</summary>
    public int Seed { get; init; } = 1024;

    /// <summary>
    /// Gets whether each tap is averaged with its neighbours (<see cref="Embedding.LocalAverage"/>) at its own
    /// resolution.
    /// </summary>
    public bool LocalAverage { get; init; } = true;

    /// <summary>
    /// Gets the value added to every variance, in squared units of the embedding; above 0. Not used with a <see
    /// cref="RelativeRidge"/>.
    /// </summary>
    public double Epsilon { get; init; } = 0.01;

    /// <summary>
    /// Gets the share of the mean variance over all positions that is added to every variance; 0 adds <see
    /// cref="Epsilon"/> instead.
    /// </summary>
    public double RelativeRidge { get; init; } = 0.5;

    /// <summary>
    /// Gets the exponent k of the weight min(1, t / (0.5 vbar))^k of squared distances, where t is the mean variance of
    /// a position and vbar that of all positions; 0 for no weights.
    /// </summary>
    public double QuietExponent { get; init; } = 1.5;

    /// <summary>
    /// Gets the standard deviation of the smoothing Gaussian, in pixels of the prepared image; 0 for no smoothing.
    /// </summary>
    public double BlurSigma { get; init; } = 3;

    /// <summary>Gets how the score of an image follows from its map.</summary>
    public ImageScoreMethod ImageScore { get; init; }

    /// <summary>Gets how far covariances are pulled towards a sphere, for few images.</summary>
    public ShrinkageMethod Shrinkage { get; init; } = ShrinkageMethod.Auto;

    /// <summary>Gets how images of parts in different positions are aligned.</summary>
    public AlignmentMethod Alignment { get; init; }

    /// <summary>Gets at which size JPEGs are decoded.</summary>
    public JpegDecoding JpegDecoding { get; init; } = JpegDecoding.Scaled;

    /// <summary>
    /// Gets the bits that count in samples of more than 8 bits, as those of a camera of 10 or 12 bits; null for those
    /// that the file states, else all.
    /// </summary>
    public int? SignificantBits { get; init; }

    /// <summary>
    /// Gets the part of each image that the model sees, as if it were the image; null for all of it. With alignment, it
    /// moves with the part.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImageRegion? Region { get; init; }

    /// <summary>Gets the size of the template of an alignment.</summary>
    public Grid GetTemplateSize() => Region is null ? GetImageSize() : new Grid(TemplateSide, TemplateSide);

    /// <summary>
    /// Gets how whole images become small ones in which the part is looked for, so that a region follows it. Their
    /// aspect ratio is kept: in an image that is pressed into a square, a part that turns is not turned but bent.
    /// </summary>
    public FitSettings GetTemplateSettings() =>
        new()
        {
            ImageSize = TemplateSide,
            Aspect = AspectMode.Letterbox,
            JpegDecoding = JpegDecoding,
            SignificantBits = SignificantBits,
        };

    /// <summary>Gets the size of what the model sees of an image: all of it, or its region of interest.</summary>
    /// <param name="size">Size of the upright image.</param>
    public Grid GetSeenSize(Grid size) => Region?.ToPixels(size).Size ?? size;

    /// <summary>Gets the size that images are resized to, before any crop.</summary>
    public Grid GetImageSize() => new(ImageHeight ?? ImageSize, ImageWidth ?? ImageSize);

    /// <summary>Gets the shape of the prepared image: the crop if there is one, the resized image otherwise.</summary>
    public Grid GetPreparedSize() => CropSize is { } side ? new Grid(side, side) : GetImageSize();

    /// <summary>Creates the frame that says how an image lies in the prepared image.</summary>
    /// <param name="original">Size of the upright image.</param>
    public ImageFrame CreateFrame(Grid original) =>
        ImageFrame.Create(original, GetImageSize(), GetPreparedSize(), Aspect);

    /// <summary>Gets the shape of what passes through the backbone: the prepared image, or a tile of it.</summary>
    public Grid GetInputSize() => Tiles is { } tiles ? new Grid(tiles.Size, tiles.Size) : GetPreparedSize();

    /// <summary>
    /// Gets the size of the golden images, in pixels: the image size or, with tiles, the largest whole fraction of it
    /// that keeps a golden image small.
    /// </summary>
    public Grid GetGoldenSize() => GetGoldenSize(GetImageSize());

    /// <summary>Gets the size of the golden image of a resized image, which may lack the border of a letterbox.</summary>
    /// <param name="resized">Size of the resized image.</param>
    public Grid GetGoldenSize(Grid resized)
    {
        if (Tiles is null)
            return resized;
        var size = GetImageSize();
        var parts = (Math.Max(size.Height, size.Width) + MaxTiledGoldenSize - 1) / MaxTiledGoldenSize;
        return new Grid(Math.Max(1, resized.Height / parts), Math.Max(1, resized.Width / parts));
    }

    /// <summary>Creates the tiles of the prepared image, in pixels; null for the whole image at once.</summary>
    public TileGrid? CreateTiles() =>
        Tiles is { } tiles ? new TileGrid(GetPreparedSize(), tiles.Size, tiles.Overlap) : null;

    /// <summary>Creates the region of the pixels that count in images without a border; null for all.</summary>
    /// <param name="ignored">True where a pixel is ignored, at the image size and before the crop; null for
    /// none.</param>
    /// <param name="patches">The grid of patch positions.</param>
    /// <exception cref="ArgumentException">The mask has another size, or ignores all of the prepared image.</exception>
    public RegionOfInterest? CreateRegion(bool[]? ignored, Grid patches) =>
        CreateRegion(ignored, CreateFrame(GetImageSize()), patches);

    /// <summary>Creates the region of the pixels that count in an image; null for all. A border does not count.</summary>
    /// <param name="ignored">As for <see cref="CreateRegion(bool[], Grid)"/>.</param>
    /// <param name="frame">How the image lies in the prepared image.</param>
    /// <param name="patches">The grid of patch positions.</param>
    /// <exception cref="ArgumentException">The mask has another size, or ignores all of the image.</exception>
    public RegionOfInterest? CreateRegion(bool[]? ignored, ImageFrame frame, Grid patches) =>
        ignored is null && !frame.HasBorder
            ? null
            : new RegionOfInterest(FindUncounted(ignored, frame), frame.Prepared, patches, BlurSigma);

    /// <summary>Creates what reads the score of an image off its map.</summary>
    /// <param name="region">The pixels that count; null for all.</param>
    public ImageScore CreateImageScore(RegionOfInterest? region) =>
        new(ImageScore, region?.CountedPixels ?? GetPreparedSize().Positions);

    /// <summary>
    /// Gets why an ignore mask cannot be used: it leaves no pixel of the prepared image. Null if it can.
    /// </summary>
    /// <param name="ignored">As for <see cref="CreateRegion(bool[], Grid)"/>.</param>
    /// <param name="image">Size of an image that would be prepared; null for one without a border.</param>
    public string? ValidateIgnoreMask(bool[]? ignored, Grid? image = null) =>
        ignored is not null
        && Array.TrueForAll(FindUncounted(ignored, CreateFrame(image ?? GetImageSize())), pixel => pixel)
            ? (
                image is { } size && Aspect == AspectMode.Letterbox
                    ? $"The ignore mask leaves no pixel of an image of {size.Width} x {size.Height} pixels. "
                    : "The ignore mask leaves no pixel of the prepared image. "
            ) + "White pixels are ignored; paint black what counts."
            : null;

    /// <summary>Finds the pixels of the prepared image that are ignored, or do not show the image.</summary>
    private static bool[] FindUncounted(bool[]? ignored, ImageFrame frame)
    {
        var (size, whole) = (frame.Prepared, frame.ImageSize);
        if (ignored is not null)
            Shapes.CheckLength(ignored, whole.Positions);
        var prepared = new bool[size.Positions];
        var (rows, columns) = (frame.Rows, frame.Columns);
        Array.Fill(prepared, true);
        for (var y = rows.ContentStart; y < rows.ContentStart + rows.ContentLength; y++)
        {
            var row = prepared.AsSpan(y * size.Width + columns.ContentStart, columns.ContentLength);
            if (ignored is null)
                row.Clear();
            else
                ignored
                    .AsSpan(
                        (y + rows.Margin) * whole.Width + columns.ContentStart + columns.Margin,
                        columns.ContentLength
                    )
                    .CopyTo(row);
        }
        return prepared;
    }

    /// <summary>Gets a sentence about the first size that is out of range; null if all are valid.</summary>
    private string? ValidateSizes()
    {
        if (ImageWidth is null != ImageHeight is null)
            return "imageWidth and imageHeight belong together: name both, or neither for a square (imageSize).";
        if (ImageWidth is null && ValidateSide(ImageSize, "imageSize") is { } badSize)
            return badSize;
        if (ImageWidth is { } width && ValidateSide(width, "imageWidth") is { } badWidth)
            return badWidth;
        if (ImageHeight is { } height && ValidateSide(height, "imageHeight") is { } badHeight)
            return badHeight;
        if (!Enum.IsDefined(Aspect))
            return "aspect must be stretch, letterbox or crop.";
        var size = GetImageSize();
        var shorter = Math.Min(size.Height, size.Width);
        if (CropSize is not { } crop || (crop >= MinSize && crop <= shorter))
            return null;
        return ImageWidth is null
            ? $"cropSize must lie between {MinSize} and imageSize ({shorter}) pixels."
            : $"cropSize must lie between {MinSize} and the shorter of imageWidth and imageHeight ({shorter}) pixels.";
    }

    private string? ValidateSide(int side, string name)
    {
        if (side >= MinSize && side <= (Tiles is null ? MaxSize : MaxTiledSize))
            return null;
        return Tiles is null
            ? $"{name} must lie between {MinSize} and {MaxSize} pixels; with tiles, up to {MaxTiledSize}."
            : $"{name} must lie between {MinSize} and {MaxTiledSize} pixels.";
    }

    /// <summary>Gets a sentence about the first setting that is out of range; null if all are valid.</summary>
    public string? Validate()
    {
        if (ValidateSizes() is { } fault)
            return fault;
        if (Tiles?.Validate(GetPreparedSize()) is { } tileFault)
            return tileFault;
        if (Dimensions < 1)
            return "reduction.dimensions must be at least 1.";
        if (Epsilon is not (>= MinEpsilon and <= MaxEpsilon))
            return FormattableString.Invariant($"epsilon must lie between {MinEpsilon} and {MaxEpsilon}.");
        if (RelativeRidge is not (>= 0 and <= MaxRelativeRidge))
            return $"relativeRidge must lie between 0 and {MaxRelativeRidge}.";
        if (QuietExponent is not (>= 0 and <= MaxQuietExponent))
            return $"quietExponent must lie between 0 and {MaxQuietExponent}.";
        if (BlurSigma is not (>= 0 and <= MaxBlurSigma))
            return $"blurSigma must lie between 0 and {MaxBlurSigma} pixels.";
        if (!Enum.IsDefined(Reduction))
            return "reduction.method must be semi-orthogonal, random or none.";
        if (!Enum.IsDefined(ImageScore))
            return "imageScore must be max or top.";
        if (!Enum.IsDefined(Shrinkage))
            return "shrinkage must be none, ledoit-wolf, oas or auto.";
        if (!Enum.IsDefined(Positions))
            return "positions must be own or shared.";
        if (Positions == PatchPositions.Shared && Shrinkage == ShrinkageMethod.LedoitWolf)
            return "shrinkage ledoit-wolf is for positions own. With positions shared, use auto, oas or none.";
        if (!Enum.IsDefined(Alignment))
            return "alignment must be none or rigid.";
        if (!Enum.IsDefined(JpegDecoding))
            return "jpegDecoding must be full-size or scaled.";
        if (SignificantBits is < MinSignificantBits or > MaxSignificantBits)
            return $"significantBits must lie between {MinSignificantBits} and {MaxSignificantBits}.";
        if (Tiles is not null && CropSize is not null)
            return "tiles cut up whole images: use them without a crop (cropSize).";
        if (Region?.Validate() is { } outside)
            return outside;
        return Alignment != AlignmentMethod.None && CropSize is not null
            ? "alignment takes whole images: use it without a crop (cropSize)."
            : null;
    }
}
