using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Http;

/// <summary>Settings of this replica's identity.</summary>
internal sealed class ReplicaOptions
{
    /// <summary>
    /// Name of this replica in answers (<c>X-Padim-Replica</c>), in <c>/v1/system</c> and in inspections: letters,
    /// digits, dots, hyphens and underscores. The name of the machine or container if it is not set.
    /// </summary>
    [RegularExpression("^[A-Za-z0-9._-]{1,253}$")]
    public string ReplicaName { get; set; } = Environment.MachineName;
}
