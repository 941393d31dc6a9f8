using PaDiM.Core.Geometry;

namespace PaDiM.Core.Models;

/// <summary>How a large prepared image passes through the backbone: as square tiles that overlap.</summary>
/// <param name="Size">Side of a tile, in pixels of the prepared image.</param>
/// <param name="Overlap">How far a tile reaches into the next one, in pixels.</param>
public sealed record TileSettings(int Size, int Overlap)
{
    /// <summary>The most tiles of an image.</summary>
    public const int MaxTiles = 4096;

    /// <summary>
    /// Half of it is cut off at each edge. With 64 pixels, features are within 0.5 standard deviations of those of the
    /// whole image everywhere; without an overlap they are up to 5 away at the edges.
    /// </summary>
    private const int DefaultOverlap = 64;

    /// <summary>The coarsest stride of most backbones' taps, of which overlaps are multiples.</summary>
    private const int UsualStride = 16;

    /// <summary>
    /// Gets the overlap of tiles where none is named, in pixels: 64, or the largest multiple of 16 up to half of a small
    /// tile.
    /// </summary>
    public static int GetDefaultOverlap(int size) => Math.Min(DefaultOverlap, size / 2 / UsualStride * UsualStride);

    /// <summary>Gets a sentence about the first value that is out of range; null if all are valid.</summary>
    /// <param name="canvas">The prepared size, in pixels.</param>
    internal string? Validate(Grid canvas)
    {
        if (Size is < FitSettings.MinSize or > FitSettings.MaxSize)
            return $"tiles.size must lie between {FitSettings.MinSize} and {FitSettings.MaxSize} pixels.";
        if (Size > Math.Min(canvas.Height, canvas.Width))
            return $"tiles.size must not be larger than the prepared image, which has {canvas.Width} x"
                + $" {canvas.Height} pixels.";
        if (Overlap < 0 || Overlap > Size / 2)
            return $"tiles.overlap must lie between 0 and half of tiles.size ({Size / 2} pixels).";
        return TileGrid.CountTiles(canvas, Size, Overlap) is > MaxTiles and var count
            ? $"tiles cut the prepared image into {count} tiles; at most {MaxTiles} are allowed. Use larger tiles or"
                + " less overlap."
            : null;
    }
}
