namespace PaDiM.Service.Roles;

/// <summary>What a replica does beside uploads, metadata and everything else, which each of them does.</summary>
internal enum ReplicaRole
{
    /// <summary>Scores images and runs jobs.</summary>
    Both,

    /// <summary>Scores images and runs no jobs.</summary>
    Score,

    /// <summary>Runs jobs and does not score.</summary>
    Fit,
}
