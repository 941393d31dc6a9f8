namespace PaDiM.Core.Statistics;

/// <summary>Which patches a Gaussian describes.</summary>
public enum PatchPositions
{
    /// <summary>Those at one position: each position has its own Gaussian (Defard et al.).</summary>
    Own,

    /// <summary>All: one Gaussian for all positions, so that it does not matter where a patch lies.</summary>
    Shared,
}
