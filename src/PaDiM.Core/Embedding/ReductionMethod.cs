namespace PaDiM.Core.Embedding;

/// <summary>How C concatenated channels are reduced to d dimensions.</summary>
public enum ReductionMethod
{
    /// <summary>x W with W (C x d) of orthonormal columns: Kim et al., arXiv 2105.14737.</summary>
    SemiOrthogonal,

    /// <summary>d channels drawn without replacement: Defard et al., section III-A.</summary>
    Random,

    /// <summary>All channels as they are.</summary>
    None,
}
