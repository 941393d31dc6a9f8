namespace PaDiM.Service.Http;

/// <summary>
/// What a caller may do. Each includes the ones before it: whoever may train may score what was trained.
/// </summary>
internal enum AccessScope
{
    /// <summary>Score, and read what is needed to do so.</summary>
    Score,

    /// <summary>Also change categories: images, fits, evaluations, thresholds, versions.</summary>
    Train,

    /// <summary>Also delete categories, import models, make and revoke keys, read the audit trail, scrub.</summary>
    Admin,
}
