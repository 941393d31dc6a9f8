using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Models;

/// <summary>
/// Everything that decides what a fit computes. Two fits with equal settings over the same images give the same model.
/// </summary>
public sealed record FitSettings
{
    /// <summary>Bounds of sizes, in pixels, and of the other settings.</summary>
    public const int MinSize = 32,
        MaxSize = 2048,
        MaxEpsilon = 100,
        MaxBlurSigma = 64;

    /// <summary>Less is nothing in float32.</summary>
    public const double MinEpsilon = 1e-9;

    /// <summary>The paper's settings: centre crop 224, random channels.</summary>
    public static FitSettings Paper { get; } = new() { CropSize = 224, Reduction = ReductionMethod.Random };

    /// <summary>Side of the square that images are resized to, in pixels; aspect is not kept.</summary>
    public int ImageSize { get; init; } = 256;

    /// <summary>
    /// Side of the centre crop after resizing, in pixels; null for no crop, which would hide defects at the border.
    /// </summary>
    public int? CropSize { get; init; }

    /// <summary>How channels are reduced.</summary>
    public ReductionMethod Reduction { get; init; } = ReductionMethod.SemiOrthogonal;

    /// <summary>Dimensions d of the embedding; ignored by <see cref="ReductionMethod.None"/>.</summary>
    public int Dimensions { get; init; } = 100;

    /// <summary>Seed of the reduction's draw.</summary>
    public int Seed { get; init; } = 1024;

    /// <summary>Added to every variance, in squared units of the embedding; above 0.</summary>
    public double Epsilon { get; init; } = 0.01;

    /// <summary>Standard deviation of the smoothing Gaussian, in pixels of the prepared image; 0 for none.</summary>
    public double BlurSigma { get; init; } = 4;

    /// <summary>How far covariances are pulled towards a sphere, for few images.</summary>
    public ShrinkageMethod Shrinkage { get; init; }

    /// <summary>How parts that lie differently in each photograph are brought to one place.</summary>
    public AlignmentMethod Alignment { get; init; }

    /// <summary>Shape of the prepared image: the crop where there is one, the resized image otherwise.</summary>
    public Grid GetPreparedSize() => new(CropSize ?? ImageSize, CropSize ?? ImageSize);

    /// <summary>
    /// Rows and columns of the resized image that the crop leaves out before the prepared one begins; 0 without a crop.
    /// </summary>
    public int GetCropMargin() => (ImageSize - GetPreparedSize().Height) / 2;

    /// <summary>The pixels that count of a prepared image; null for all.</summary>
    /// <param name="ignored">True where a pixel is ignored, at the image size and before the crop, shape <c>(ImageSize,
    /// ImageSize)</c>; null for none.</param>
    /// <param name="patches">The grid of patch positions.</param>
    /// <exception cref="ArgumentException">A mask of another size, or one that leaves nothing of the prepared
    /// image.</exception>
    public RegionOfInterest? CreateRegion(bool[]? ignored, Grid patches) =>
        ignored is null ? null : new RegionOfInterest(CropMask(ignored), GetPreparedSize(), patches, BlurSigma);

    /// <summary>
    /// A sentence about an ignore mask that leaves nothing to look at; null when it leaves something.
    /// </summary>
    /// <param name="ignored">As for <see cref="CreateRegion"/>.</param>
    public string? FindFault(bool[]? ignored) =>
        ignored is not null && Array.TrueForAll(CropMask(ignored), pixel => pixel)
            ? "The ignore mask leaves no pixel of the prepared image. White pixels are left out; paint black what counts."
            : null;

    private bool[] CropMask(bool[] ignored)
    {
        Shapes.CheckLength(ignored, (long)ImageSize * ImageSize);
        var size = GetPreparedSize();
        var prepared = new bool[size.Positions];
        var margin = GetCropMargin();
        for (var y = 0; y < size.Height; y++)
            ignored.AsSpan((y + margin) * ImageSize + margin, size.Width).CopyTo(prepared.AsSpan(y * size.Width));
        return prepared;
    }

    /// <summary>A sentence about a setting that is out of bounds; null when all make sense.</summary>
    public string? FindFault()
    {
        if (ImageSize is < MinSize or > MaxSize)
            return $"imageSize must lie between {MinSize} and {MaxSize} pixels.";
        if (CropSize is { } crop && (crop < MinSize || crop > ImageSize))
            return $"cropSize must lie between {MinSize} and imageSize ({ImageSize}) pixels.";
        if (Dimensions < 1)
            return "reduction.dimensions must be at least 1.";
        if (Epsilon is not (>= MinEpsilon and <= MaxEpsilon))
            return FormattableString.Invariant($"epsilon must lie between {MinEpsilon} and {MaxEpsilon}.");
        if (BlurSigma is not (>= 0 and <= MaxBlurSigma))
            return $"blurSigma must lie between 0 and {MaxBlurSigma} pixels.";
        if (!Enum.IsDefined(Reduction))
            return "reduction.method must be semi-orthogonal, random or none.";
        if (!Enum.IsDefined(Shrinkage))
            return "shrinkage must be none, ledoit-wolf or oas.";
        if (!Enum.IsDefined(Alignment))
            return "alignment must be none or rigid.";
        return Alignment != AlignmentMethod.None && CropSize is not null
            ? "alignment takes whole images: use it without a crop (cropSize)."
            : null;
    }
}
