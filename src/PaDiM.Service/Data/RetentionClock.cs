namespace PaDiM.Service.Data;

/// <summary>How far retention has followed the clock: one row.</summary>
internal sealed class RetentionClock
{
    public const int OnlyId = 1;

    public int Id { get; init; } = OnlyId;

    /// <summary>The latest time that ages of inspections were counted to.</summary>
    public DateTime At { get; set; }
}
