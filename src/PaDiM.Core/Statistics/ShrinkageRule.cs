namespace PaDiM.Core.Statistics;

/// <summary>
/// Chooses the shrinkage of a fit by the number of images and by how alike the positions vary or, where all positions
/// share a Gaussian, by the number of patches. Leaving an image out does not change the choice: thresholds are those of
/// the model as it is.
/// </summary>
public static class ShrinkageRule
{
    /// <summary>
    /// The number of images from which on there is no shrinkage. Below it, OAS gains more image AUROC than it costs.
    /// </summary>
    public const int EnoughImages = 16;

    /// <summary>
    /// The share of positions that vary less than half as much as the mean, from which on there is no shrinkage: OAS
    /// would bring a still background to the front.
    /// </summary>
    public const double MaxQuietShare = 0.25;

    /// <summary>
    /// The number of samples per dimension from which on a Gaussian that all positions share is not shrunk. Patches of
    /// an image resemble each other, so they count for less than as many independent samples.
    /// </summary>
    public const int EnoughSamples = 10;

    /// <summary>Gets the method for a fit; never <see cref="ShrinkageMethod.Auto"/>.</summary>
    /// <param name="method">The setting.</param>
    /// <param name="statistics">The statistics of all images, without copies.</param>
    /// <param name="shares">The share of each position that counts; null if all count.</param>
    public static ShrinkageMethod Resolve(
        ShrinkageMethod method,
        TrainingStatistics statistics,
        float[]? shares = null
    ) =>
        method != ShrinkageMethod.Auto ? method
        : HasFewSamples(statistics, shares) ? ShrinkageMethod.Oas
        : ShrinkageMethod.None;

    private static bool HasFewSamples(TrainingStatistics statistics, float[]? shares) =>
        statistics is SharedStatistics shared
            ? shared.ToSamples().Count < (long)EnoughSamples * shared.Dimensions
            : statistics.Count < EnoughImages
                && PositionVariances.Measure((PatchStatistics)statistics, shares).GetQuietShare() < MaxQuietShare;
}
