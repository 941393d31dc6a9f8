namespace PaDiM.Service.Fitting;

/// <summary>What a fit is asked to do.</summary>
internal sealed record FitRequest
{
    /// <summary>Let the new model score as soon as it is published.</summary>
    public bool Activate { get; init; } = true;

    /// <summary>
    /// Let the new model score in the shadow of the active version as soon as it is published; with `activate: false`.
    /// </summary>
    public bool Shadow { get; init; }

    /// <summary>
    /// Bring the newest model's statistics up to date where its settings are the same; the result equals a fit from
    /// nothing.
    /// </summary>
    public bool Incremental { get; init; } = true;
}
