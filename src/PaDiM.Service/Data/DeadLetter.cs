using System.ComponentModel.DataAnnotations;

namespace PaDiM.Service.Data;

/// <summary>Whether a dead letter is sent again without a person.</summary>
internal enum DeadLetterState
{
    /// <summary>The receiver could not be reached: it is sent again when the receiver is back.</summary>
    Waiting,

    /// <summary>The receiver refused it: it waits for a person.</summary>
    Refused,
}

/// <summary>An inspection that a sink could not deliver.</summary>
internal sealed class DeadLetter
{
    public const int MaxError = 500;

    /// <summary>Sorts by time.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    [MaxLength(Data.Sink.MaxNameLength)]
    public required string Sink { get; init; }

    public DeadLetterState State { get; set; }

    /// <summary>The inspection, as JSON.</summary>
    public required string Inspection { get; init; }

    /// <summary>Why it was not delivered.</summary>
    [MaxLength(MaxError)]
    public required string Error { get; set; }

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; set; }

    public DateTime CreatedAt { get; init; }

    public DateTime TriedAt { get; set; }

    /// <summary>The replica's task that sends it now.</summary>
    [MaxLength(32)]
    public string? ClaimedBy { get; set; }

    /// <summary>When another one may send it.</summary>
    public DateTime? ClaimedUntil { get; set; }
}
