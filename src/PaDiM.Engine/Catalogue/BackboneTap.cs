namespace PaDiM.Engine.Catalogue;

/// <summary>Represents one tap of a backbone: a tensor whose values become part of the embedding.</summary>
/// <param name="Tensor">Name of the tensor in the graph.</param>
/// <param name="Stride">Pixels of the prepared image per position; 0 when not stated.</param>
/// <param name="Channels">Number of channels C_l; 0 when not stated.</param>
public sealed record BackboneTap(string Tensor, int Stride = 0, int Channels = 0);
