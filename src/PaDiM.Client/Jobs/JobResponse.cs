using System.Text.Json.Serialization;

namespace PaDiM.Client;

/// <content>What the document does not say.</content>
public sealed partial record JobResponse
{
    /// <summary>Gets whether the job has ended: succeeded, failed or cancelled.</summary>
    [JsonIgnore]
    public bool IsFinal => State == JobState.Succeeded || State == JobState.Failed || State == JobState.Cancelled;
}
