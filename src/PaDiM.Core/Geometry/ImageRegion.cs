using System.Globalization;

namespace PaDiM.Core.Geometry;

/// <summary>
/// A box of an upright image, in fractions of its width and height: the same part of the picture whatever its size.
/// </summary>
/// <param name="X">Left edge, from 0.</param>
/// <param name="Y">Upper edge, from 0.</param>
/// <param name="Width">Width; X + Width is at most 1.</param>
/// <param name="Height">Height; Y + Height is at most 1.</param>
public sealed record ImageRegion(double X, double Y, double Width, double Height)
{
    /// <summary>The smallest width and height.</summary>
    public const double MinLength = 0.001;

    /// <summary>Two fractions that a client has rounded may add up to a little more than 1.</summary>
    private const double Rounding = 1e-9;

    /// <summary>Reads a box from four numbers, as <see cref="ToString"/> writes it; null if the text is another.</summary>
    public static ImageRegion? TryParse(string text)
    {
        var parts = text.Split(',');
        var numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
                return null;
        return numbers is [var x, var y, var width, var height] ? new ImageRegion(x, y, width, height) : null;
    }

    /// <summary>Writes the box as four numbers: x, y, width and height.</summary>
    public override string ToString() => FormattableString.Invariant($"{X:R},{Y:R},{Width:R},{Height:R}");

    /// <summary>Gets a sentence about what is wrong with the box; null if it lies within the image.</summary>
    public string? Validate()
    {
        if (X is not >= 0 || Y is not >= 0)
            return "region.x and region.y must be at least 0.";
        if (Width is not (>= MinLength and <= 1) || Height is not (>= MinLength and <= 1))
            return FormattableString.Invariant($"region.width and region.height must lie between {MinLength} and 1.");
        return X + Width is not <= 1 + Rounding || Y + Height is not <= 1 + Rounding
            ? "region.x + region.width and region.y + region.height must be at most 1: the box lies within the image, "
                + "in fractions of its width and height."
            : null;
    }

    /// <summary>Gets the pixels of an image in the box, at least one in each direction.</summary>
    /// <param name="size">Rows and columns of the image.</param>
    public PixelBox ToPixels(Grid size)
    {
        var (left, width) = ToPixels(X, Width, size.Width);
        var (top, height) = ToPixels(Y, Height, size.Height);
        return new PixelBox(left, top, width, height);
    }

    private static (int Start, int Length) ToPixels(double start, double length, int pixels)
    {
        var first = Math.Clamp((int)Math.Round(start * pixels), 0, pixels - 1);
        var end = Math.Clamp((int)Math.Round((start + length) * pixels), first + 1, pixels);
        return (first, end - first);
    }
}
