namespace PaDiM.Core.Alignment;

/// <summary>How parts that lie differently in each photograph are brought to one place.</summary>
public enum AlignmentMethod
{
    /// <summary>Not at all: the fixture holds them.</summary>
    None,

    /// <summary>By a rotation and a shift that register each image to the mean training image.</summary>
    Rigid,
}
