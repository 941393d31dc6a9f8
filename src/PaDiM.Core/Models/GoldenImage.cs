namespace PaDiM.Core.Models;

/// <summary>
/// A training image that a model keeps with the score it had when it was fitted: wherever the model is loaded, the same
/// machine, device and program must give the same score again.
/// </summary>
/// <param name="Pixels">8-bit RGB at the image size, before any crop, shape <c>(imageSize, imageSize, 3)</c>.</param>
/// <param name="Score">Its image score, above or equal to 0.</param>
public sealed record GoldenImage(byte[] Pixels, float Score);
