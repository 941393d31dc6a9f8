using PaDiM.Core.Geometry;

namespace PaDiM.Core.Embedding;

/// <summary>
/// The output of one tap of a backbone for one image, reduced at the tap's own resolution to d dimensions, or to the
/// tap's part of them for a channel selection.
/// </summary>
/// <param name="Values">Shape <c>(Grid.Height, Grid.Width, dimensions)</c>, row-major. Borrowed from its owner, and
/// valid only as long as the owner.</param>
/// <param name="Grid">Rows and columns at the tap's own stride.</param>
public readonly record struct FeatureMap(ReadOnlyMemory<float> Values, Grid Grid);
