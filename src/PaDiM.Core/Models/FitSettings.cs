using PaDiM.Core.Embedding;

namespace PaDiM.Core.Models;

/// <summary>Everything that decides what a fit computes. Two fits with equal settings over the same images give the same model.</summary>
public sealed record FitSettings
{
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
}
