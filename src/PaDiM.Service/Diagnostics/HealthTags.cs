namespace PaDiM.Service.Diagnostics;

/// <summary>What a check of health is asked for.</summary>
internal static class HealthTags
{
    /// <summary>Whether the replica can do what its role asks for.</summary>
    public const string Ready = "ready";

    /// <summary>Whether the replica can score; asked beside all others.</summary>
    public const string Score = "score";

    /// <summary>Whether the replica can finish a job: without it, it claims none.</summary>
    public const string Job = "job";
}
