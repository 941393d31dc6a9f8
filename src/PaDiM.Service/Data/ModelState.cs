namespace PaDiM.Service.Data;

/// <summary>The state of a model file when it was last read.</summary>
internal enum ModelState
{
    /// <summary>The file matches its hash, or has not been read since start-up.</summary>
    Ready,

    /// <summary>The file does not match its published hash.</summary>
    Corrupt,

    /// <summary>The file does not exist or cannot be read.</summary>
    Missing,
}
