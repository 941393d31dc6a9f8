using PaDiM.Core.Geometry;

namespace PaDiM.Core.Models;

/// <summary>
/// A training image that a model stores with its score at fitting time. When the model is loaded, the machine, device
/// and program in use must reproduce the score.
/// </summary>
/// <param name="Size">Rows and columns: the image size, less the border of a letterbox.</param>
/// <param name="Pixels">8-bit RGB before any crop, shape <c>(Size.Height, Size.Width, 3)</c>.</param>
/// <param name="Score">Image score, at least 0.</param>
public sealed record GoldenImage(Grid Size, byte[] Pixels, float Score);
