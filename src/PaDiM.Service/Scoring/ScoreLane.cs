namespace PaDiM.Service.Scoring;

/// <summary>Who waits for an image's score. Where images wait, those of the line go first.</summary>
internal enum ScoreLane
{
    /// <summary>A production line: one image a request.</summary>
    Line,

    /// <summary>Whoever sends many images at once.</summary>
    Batch,
}
