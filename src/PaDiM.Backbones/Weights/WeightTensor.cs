namespace PaDiM.Backbones.Weights;

/// <summary>Represents a tensor in a file of weights.</summary>
/// <param name="Shape">The extents, outermost first; none for a single number.</param>
/// <param name="Read">Reads the values as float32, row-major; wider and narrower floating-point numbers are converted.
/// Throws <see cref="InvalidDataException"/> for integers and for missing bytes.</param>
internal sealed record WeightTensor(IReadOnlyList<long> Shape, Func<float[]> Read);
