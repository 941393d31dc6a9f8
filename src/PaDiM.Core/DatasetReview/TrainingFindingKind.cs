namespace PaDiM.Core.DatasetReview;

/// <summary>What is remarkable about a training image.</summary>
public enum TrainingFindingKind
{
    /// <summary>
    /// All but the same photograph as an earlier one: it counts twice, and the set is smaller than it looks.
    /// </summary>
    NearDuplicate,

    /// <summary>Far less fine detail than the others.</summary>
    Blurred,

    /// <summary>Far darker than the others.</summary>
    Underexposed,

    /// <summary>Far brighter than the others.</summary>
    Overexposed,
}
