namespace PaDiM.Core.Statistics;

/// <summary>
/// Chooses the shrinkage by the number of images of a fit. Leaving an image out does not change the choice: thresholds
/// are those of the model as it is.
/// </summary>
public static class ShrinkageRule
{
    /// <summary>
    /// The number of images from which on there is no shrinkage. Below it, OAS gains more image AUROC than it costs.
    /// </summary>
    public const int EnoughImages = 16;

    /// <summary>Gets the method for a number of images; never <see cref="ShrinkageMethod.Auto"/>.</summary>
    /// <param name="method">The setting.</param>
    /// <param name="images">The number of images n, without copies.</param>
    public static ShrinkageMethod Resolve(ShrinkageMethod method, int images) =>
        method != ShrinkageMethod.Auto ? method
        : images < EnoughImages ? ShrinkageMethod.Oas
        : ShrinkageMethod.None;
}
