namespace PaDiM.Service.Data;

/// <summary>How the file of a version was when it was last read.</summary>
internal enum ModelState
{
    /// <summary>What was published, or not read since the start.</summary>
    Ready,

    /// <summary>Its hash was not the one that was published.</summary>
    Corrupt,

    /// <summary>It was not there, or could not be read.</summary>
    Missing,
}
