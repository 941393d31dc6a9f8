namespace PaDiM.Engine.Evaluation;

/// <summary>Represents a labelled image that a model is measured on.</summary>
/// <param name="Name">Name in messages and reports.</param>
/// <param name="Defect">Kind of defect; null for a normal image.</param>
/// <param name="Read">Reads the bytes of the image.</param>
/// <param name="ReadMask">Reads the bytes of its mask, which is white where the defect is. If null, an anomalous image
/// counts for the image metrics only.</param>
public sealed record TestImage(string Name, string? Defect, Func<byte[]> Read, Func<byte[]>? ReadMask);
