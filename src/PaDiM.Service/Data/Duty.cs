namespace PaDiM.Service.Data;

/// <summary>Work that one replica at a time does for all of them; with PostgreSQL only.</summary>
internal sealed class Duty
{
    public required string Name { get; init; }

    /// <summary>Who does it now; null where none does.</summary>
    public string? HeldBy { get; set; }

    /// <summary>When its holder counts as dead; null where none does it.</summary>
    public DateTime? HeldUntil { get; set; }

    /// <summary>When it was last done.</summary>
    public DateTime? DoneAt { get; set; }

    /// <summary>What came of it, as JSON.</summary>
    public string? Report { get; set; }
}
