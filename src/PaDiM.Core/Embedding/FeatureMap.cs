namespace PaDiM.Core.Embedding;

/// <summary>What one tap of a backbone gives for one image, reduced to d dimensions at the tap's own resolution.</summary>
/// <param name="Values">Shape <c>(Grid.Height, Grid.Width, d)</c>, row-major. Borrowed: valid while its owner is.</param>
/// <param name="Grid">Spatial shape at the tap's own stride.</param>
public readonly record struct FeatureMap(ReadOnlyMemory<float> Values, Grid Grid);
