namespace PaDiM.Core.Scoring;

/// <summary>A connected area of pixels at or above the threshold.</summary>
/// <param name="X">Left edge, in pixels.</param>
/// <param name="Y">Top edge, in pixels.</param>
/// <param name="Width">Width, in pixels.</param>
/// <param name="Height">Height, in pixels.</param>
/// <param name="Area">Number of pixels in the area.</param>
/// <param name="PeakScore">Largest score inside.</param>
/// <param name="Contour">The outer edge as a simple polygon, clockwise: [x, y] of its corners, in pixels. Holes are
/// inside. Null unless it was asked for.</param>
public sealed record AnomalyRegion(
    int X,
    int Y,
    int Width,
    int Height,
    int Area,
    float PeakScore,
    float[][]? Contour = null
);
