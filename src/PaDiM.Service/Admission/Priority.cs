namespace PaDiM.Service.Admission;

/// <summary>Specifies who waits for an image. Where images wait, those of a lower value go first.</summary>
internal enum Priority
{
    /// <summary>A production line: one image per request.</summary>
    Line,

    /// <summary>A client that sends many images at once, or needs no score.</summary>
    Batch,

    /// <summary>A fit or an evaluation.</summary>
    Job,
}
