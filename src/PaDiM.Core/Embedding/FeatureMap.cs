using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// What one tap of a backbone gives for one image, reduced at the tap's own resolution to d dimensions, or to its share
/// of them where channels are chosen.
/// </summary>
/// <param name="Values">Shape <c>(Grid.Height, Grid.Width, dimensions)</c>, row-major. Borrowed: valid while its owner
/// is.</param>
/// <param name="Grid">Spatial shape at the tap's own stride.</param>
public readonly record struct FeatureMap(ReadOnlyMemory<float> Values, Grid Grid);
