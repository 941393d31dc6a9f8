using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Roles;

/// <summary>Settings of what this replica does.</summary>
internal sealed class RoleOptions : IValidatableObject
{
    /// <summary>What this replica does; null for <see cref="ReplicaRole.Both"/>, or as <see cref="JobWorkers"/> says.</summary>
    public ReplicaRole? Role { get; set; }

    /// <summary>
    /// Number of jobs that this process runs concurrently; null for one where the role has jobs. 0 without a role is the
    /// role <see cref="ReplicaRole.Score"/>.
    /// </summary>
    [Range(0, 64)]
    public int? JobWorkers { get; set; }

    /// <summary>Gets what this replica does.</summary>
    public ReplicaRole Effective => Role ?? (JobWorkers == 0 ? ReplicaRole.Score : ReplicaRole.Both);

    /// <summary>Gets whether this replica scores.</summary>
    public bool Scores => Effective != ReplicaRole.Fit;

    /// <summary>Gets how many jobs this replica runs at a time; 0 where it runs none.</summary>
    public int Workers => Effective == ReplicaRole.Score ? 0 : JobWorkers ?? 1;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Role == ReplicaRole.Score && JobWorkers > 0)
            yield return new ValidationResult(
                $"Role is score, which runs no jobs, but JobWorkers is {JobWorkers}. Leave JobWorkers out, or set Role to "
                    + "both or fit.",
                [nameof(JobWorkers)]
            );
        if (Role is ReplicaRole.Both or ReplicaRole.Fit && JobWorkers == 0)
            yield return new ValidationResult(
                $"Role is {Role.ToString()!.ToLowerInvariant()}, which runs jobs, but JobWorkers is 0. Set Role to score, "
                    + "or JobWorkers to 1 or more.",
                [nameof(JobWorkers)]
            );
    }
}
