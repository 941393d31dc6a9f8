namespace PaDiM.Core.Statistics;

/// <summary>
/// How far a covariance is pulled towards a sphere, since few images say little about most directions.
/// </summary>
public enum ShrinkageMethod
{
    /// <summary>Not at all: epsilon alone makes the covariance invertible (Defard et al., equation 1).</summary>
    None,

    /// <summary>
    /// Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    /// </summary>
    LedoitWolf,

    /// <summary>
    /// The oracle approximating shrinkage of Chen, Wiesel, Eldar and Hero, "Shrinkage algorithms for MMSE covariance
    /// estimation", 2010.
    /// </summary>
    Oas,

    /// <summary>By the number of images: see <see cref="ShrinkageRule"/>.</summary>
    Auto,
}
