using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>An inspection that waits to be written.</summary>
/// <param name="Row">Its row; null for someone who only waits until all rows before are written.</param>
/// <param name="Image">The bytes of the image to keep; null for none.</param>
/// <param name="Written">Ends when the row is on the disk; null if no answer waits for that.</param>
internal sealed record LedgerEntry(StoredInspection? Row, byte[]? Image, TaskCompletionSource? Written);
