namespace PaDiM.Backbones.Weights;

/// <summary>Represents a run of numbers that a checkpoint's pickle refers to. Tensors are views of it.</summary>
/// <param name="Type">The type of the numbers.</param>
/// <param name="Key">Its name in the checkpoint.</param>
/// <param name="Length">The count of numbers according to the pickle, 0 or more. It is not checked against the file
/// yet.</param>
internal sealed record Storage(ElementType Type, string Key, long Length);
