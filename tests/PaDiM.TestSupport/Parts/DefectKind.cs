namespace PaDiM.TestSupport.Parts;

/// <summary>What is wrong with a part.</summary>
public enum DefectKind
{
    /// <summary>A long, thin, bright line across the metal.</summary>
    Scratch,

    /// <summary>A round hollow: dark on one side, bright on the other.</summary>
    Dent,
}
