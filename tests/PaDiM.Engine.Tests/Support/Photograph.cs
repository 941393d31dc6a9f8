using NetVips;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Geometry;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Tests.Support;

/// <summary>What happens to photographs between the camera and a training set, and what is measured of them.</summary>
internal static class Photograph
{
    /// <summary>Side that images are prepared at, in pixels.</summary>
    public const int Side = 256;

    /// <summary>A part of <see cref="PaDiM.TestSupport.Parts.SyntheticParts"/>.</summary>
    public static RgbImage Part(int seed, int size)
    {
        var part = PaDiM.TestSupport.Parts.SyntheticParts.Good(seed, size);
        return new RgbImage(part.Width, part.Height, part.Pixels);
    }

    public static ImageTraits Traits(this RgbImage image)
    {
        var prepared = new float[3 * Side * Side];
        AntialiasedResampler.Resize(image, Side, Side, prepared);
        return ImageTraits.Measure(prepared, new Grid(Side, Side));
    }

    /// <summary>Out of focus.</summary>
    /// <param name="image">The photograph.</param>
    /// <param name="sigma">Standard deviation of the Gaussian, in pixels of the prepared image.</param>
    public static RgbImage Blurred(this RgbImage image, double sigma)
    {
        using var vips = image.Vips();
        using var blurred = vips.Gaussblur(sigma * Math.Sqrt((double)image.Width * image.Height) / Side);
        return new RgbImage(image.Width, image.Height, blurred.WriteToMemory<byte>());
    }

    /// <summary>Exposed otherwise: every pixel times a factor, clipped.</summary>
    public static RgbImage Exposed(this RgbImage image, double factor) =>
        new(
            image.Width,
            image.Height,
            Array.ConvertAll(image.Pixels, value => (byte)Math.Min(255, Math.Round(value * factor)))
        );

    /// <summary>Stored once more as a lossy file.</summary>
    public static RgbImage Recoded(this RgbImage image, int quality = 85)
    {
        using var vips = image.Vips();
        return TestDecoder.Image(vips.JpegsaveBuffer(q: quality));
    }

    /// <summary>Moved right and down under the camera; the border is repeated.</summary>
    /// <param name="image">The photograph.</param>
    /// <param name="pixels">How far, in pixels of the prepared image.</param>
    public static RgbImage Moved(this RgbImage image, double pixels)
    {
        const int margin = 8;
        using var vips = image.Vips();
        using var framed = vips.Embed(
            margin,
            margin,
            image.Width + 2 * margin,
            image.Height + 2 * margin,
            extend: Enums.Extend.Copy
        );
        using var interpolate = Interpolate.NewFromName("bicubic");
        using var moved = framed.Affine(
            [1, 0, 0, 1],
            interpolate,
            odx: pixels * image.Width / Side,
            ody: pixels * image.Height / Side,
            oarea: [margin, margin, image.Width, image.Height]
        );
        return new RgbImage(image.Width, image.Height, moved.WriteToMemory<byte>());
    }
}
