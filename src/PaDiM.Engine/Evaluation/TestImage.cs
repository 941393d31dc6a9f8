namespace PaDiM.Engine.Evaluation;

/// <summary>A labelled image to measure a model on.</summary>
/// <param name="Name">For messages and reports.</param>
/// <param name="Defect">Kind of defect; null for a normal image.</param>
/// <param name="Read">Reads its bytes.</param>
/// <param name="ReadMask">Reads its mask, white where the defect is; null where there is none, and the image counts for
/// the image metrics only.</param>
public sealed record TestImage(string Name, string? Defect, Func<byte[]> Read, Func<byte[]>? ReadMask);
