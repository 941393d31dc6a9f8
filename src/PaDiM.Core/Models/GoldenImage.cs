namespace PaDiM.Core.Models;

/// <summary>
/// A training image that a model stores with its score at fitting time. When the model is loaded, the machine, device
/// and program in use must reproduce the score.
/// </summary>
/// <param name="Pixels">8-bit RGB at the image size, before any crop, shape <c>(imageSize, imageSize, 3)</c>.</param>
/// <param name="Score">Image score, at least 0.</param>
public sealed record GoldenImage(byte[] Pixels, float Score);
