namespace PaDiM.Engine.Export;

/// <summary>Contains metadata of an exported graph that is not part of the model.</summary>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="Category">Name of the model's category; null if unknown.</param>
/// <param name="ModelVersion">Version of the model; null if unknown.</param>
public sealed record ExportNotes(double Threshold, string? Category = null, int? ModelVersion = null);
