namespace PaDiM.Core.Alignment;

/// <summary>How images of parts in different positions are aligned.</summary>
public enum AlignmentMethod
{
    /// <summary>No alignment: a fixture holds the parts in place.</summary>
    None,

    /// <summary>A rotation and a shift register each image to the mean training image.</summary>
    Rigid,
}
