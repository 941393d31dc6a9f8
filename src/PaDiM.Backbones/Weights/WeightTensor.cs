namespace PaDiM.Backbones.Weights;

/// <summary>A tensor in a file of weights.</summary>
/// <param name="Shape">Extents, outermost first; none for a single number.</param>
/// <param name="Read">Reads the values as float32, row-major; wider and narrower floating-point numbers are converted.
/// <see cref="InvalidDataException"/> for integers, and for bytes that are not there.</param>
internal sealed record WeightTensor(IReadOnlyList<long> Shape, Func<float[]> Read);
