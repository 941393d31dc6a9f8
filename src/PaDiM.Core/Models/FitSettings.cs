using PaDiM.Core.Embedding;

namespace PaDiM.Core.Models;

/// <summary>Everything that decides what a fit computes. Two fits with equal settings over the same images give the same model.</summary>
public sealed record FitSettings
{
    /// <summary>Bounds of sizes, in pixels, and of the other settings.</summary>
    public const int MinSize = 32, MaxSize = 2048, MaxEpsilon = 100, MaxBlurSigma = 64;

    /// <summary>The paper's settings: centre crop 224, random channels.</summary>
    public static FitSettings Paper { get; } = new() { CropSize = 224, Reduction = ReductionMethod.Random };

    /// <summary>Side of the square that images are resized to, in pixels; aspect is not kept.</summary>
    public int ImageSize { get; init; } = 256;

    /// <summary>Side of the centre crop after resizing, in pixels; null for no crop, which would hide defects at the border.</summary>
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

    /// <summary>Shape of the prepared image: the crop where there is one, the resized image otherwise.</summary>
    public Grid PreparedSize() => new(CropSize ?? ImageSize, CropSize ?? ImageSize);

    /// <summary>A sentence about a setting that is out of bounds; null when all make sense.</summary>
    public string? FindFault()
    {
        if (ImageSize is < MinSize or > MaxSize) return $"imageSize must lie between {MinSize} and {MaxSize} pixels.";
        if (CropSize is { } crop && (crop < MinSize || crop > ImageSize)) return $"cropSize must lie between {MinSize} and imageSize ({ImageSize}) pixels.";
        if (Dimensions < 1) return "reduction.dimensions must be at least 1.";
        if (Epsilon is not (> 0 and <= MaxEpsilon)) return $"epsilon must lie above 0 and be at most {MaxEpsilon}.";
        if (BlurSigma is not (>= 0 and <= MaxBlurSigma)) return $"blurSigma must lie between 0 and {MaxBlurSigma} pixels.";
        return Enum.IsDefined(Reduction) ? null : "reduction.method must be semi-orthogonal, random or none.";
    }
}
