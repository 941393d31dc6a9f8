namespace PaDiM.Core.Embedding;

/// <summary>What one tap of a backbone gives for one image.</summary>
/// <param name="Values">Activations, shape <c>(Channels, Grid.Height, Grid.Width)</c>, row-major. Borrowed: valid while its owner is.</param>
/// <param name="Channels">Number of channels C_l of the tap.</param>
/// <param name="Grid">Spatial shape at the tap's own stride.</param>
public readonly record struct FeatureMap(ReadOnlyMemory<float> Values, int Channels, Grid Grid);
