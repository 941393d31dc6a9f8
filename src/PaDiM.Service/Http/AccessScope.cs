namespace PaDiM.Service.Http;

/// <summary>
/// The permissions of a caller. Each scope includes the ones before it: callers that may train may also score.
/// </summary>
internal enum AccessScope
{
    /// <summary>Score, and read what scoring needs.</summary>
    Score,

    /// <summary>Also read inspections and their photographs, and say whether parts are good.</summary>
    Review,

    /// <summary>Also change categories: images, fits, evaluations, thresholds, versions.</summary>
    Train,

    /// <summary>Also delete categories, import models, create and revoke keys, read the audit trail, scrub.</summary>
    Admin,
}
