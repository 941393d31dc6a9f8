using PaDiM.Core.Geometry;
using PaDiM.Imaging;

namespace PaDiM.Engine.Fitting;

/// <summary>Represents a training image at the image size.</summary>
/// <param name="Pixels">Its pixels, without the border of a letterbox.</param>
/// <param name="FileSize">The upright size of its file; null if an earlier version stored the pixels.</param>
public sealed record ShrunkImage(RgbImage Pixels, Grid? FileSize);
