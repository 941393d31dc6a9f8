namespace PaDiM.Backbones.Weights;

/// <summary>A run of numbers that a checkpoint's pickle refers to; tensors are views of it.</summary>
/// <param name="Type">Type of the numbers.</param>
/// <param name="Key">Its name in the checkpoint.</param>
/// <param name="Length">Numbers, 0 or more, as the pickle says; the file is yet to have them.</param>
internal sealed record Storage(ElementType Type, string Key, long Length);
