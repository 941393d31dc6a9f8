namespace PaDiM.Core.DatasetReview;

/// <summary>Kinds of findings about training images.</summary>
public enum TrainingFindingKind
{
    /// <summary>
    /// Almost the same photograph as an earlier image: it counts twice, and the set is smaller than it looks.
    /// </summary>
    NearDuplicate,

    /// <summary>Much less fine detail than the other images.</summary>
    Blurred,

    /// <summary>Much darker than the other images.</summary>
    Underexposed,

    /// <summary>Much brighter than the other images.</summary>
    Overexposed,

    /// <summary>Uses less than an eighth of the range of values: grey levels are lost.</summary>
    LowRange,
}
