namespace PaDiM.Service.Memory;

/// <summary>A part of the memory.</summary>
/// <param name="Bytes">Number of bytes.</param>
/// <param name="Reason">Why it has this size, for people.</param>
internal sealed record MemoryShare(long Bytes, string Reason);
