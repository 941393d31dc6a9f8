namespace PaDiM.Engine.Export;

/// <summary>What an exported graph says of its model besides what the model knows itself.</summary>
/// <param name="Threshold">Scores at or above it are anomalous.</param>
/// <param name="Category">Whose model it is, where that is known.</param>
/// <param name="ModelVersion">Which version, where that is known.</param>
public sealed record ExportNotes(double Threshold, string? Category = null, int? ModelVersion = null);
