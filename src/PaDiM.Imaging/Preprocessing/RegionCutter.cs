using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Cuts the region of interest out of images, at the resolution of the image. With a template, the part is found in the
/// whole image first, and the region moves and turns with it. Beyond the image, its nearest edge is repeated. Immutable,
/// thread-safe.
/// </summary>
internal sealed class RegionCutter
{
    private readonly ImageRegion _region;
    private readonly FitSettings _whole;
    private readonly float[]? _template;
    private readonly RigidRegistration? _registration;

    private RegionCutter(ImageRegion region, FitSettings whole, float[]? template)
    {
        _region = region;
        _whole = whole;
        _template = template;
        _registration = template is null ? null : new RigidRegistration(template, whole.GetImageSize());
        Key = $"-of-{region}" + (template is null ? "" : $"-at-{ComputeHash(template)}");
    }

    /// <summary>Gets a text that is the same for cutters that cut the same, and can be part of a file name.</summary>
    public string Key { get; }

    /// <summary>Creates the cutter of a model; null if the model sees whole images.</summary>
    /// <param name="settings">The settings of the model.</param>
    /// <param name="template">What parts are looked for with; null for regions that do not move.</param>
    public static RegionCutter? Create(FitSettings settings, float[]? template) =>
        settings.Region is { } region ? new RegionCutter(region, settings.GetTemplateSettings(), template) : null;

    /// <summary>Finds the part; the identity without a template.</summary>
    /// <param name="image">The whole image, or that scaled down while it was decoded.</param>
    /// <param name="size">Rows and columns of the upright file.</param>
    /// <param name="parts">What was found in the same decoded image; null for nothing.</param>
    public RigidTransform FindPart(RgbImage image, Grid size, FoundParts? parts)
    {
        if (_registration is null)
            return RigidTransform.Identity;
        return parts?.GetOrFind(_template!, Find) ?? Find();

        RigidTransform Find() =>
            _registration.Register(Preprocessor.ToGrey(Preprocessor.Resize(image, _whole.CreateFrame(size))));
    }

    /// <summary>Gets how the region lies in an image.</summary>
    /// <param name="size">Rows and columns of the upright file.</param>
    /// <param name="found">What <see cref="FindPart"/> returned for the image.</param>
    public RegionPlacement Place(Grid size, RigidTransform found)
    {
        var box = _region.ToPixels(size);
        if (found == RigidTransform.Identity)
            return RegionPlacement.CreateUpright(size, box);
        var frame = _whole.CreateFrame(size);
        var toTemplate = AffineMap.Create(
            1 / frame.Columns.Scale,
            1 / frame.Rows.Scale,
            frame.Columns.ToImageSize(0),
            frame.Rows.ToImageSize(0)
        );
        return new RegionPlacement(
            size,
            box.Size,
            AffineMap
                .Create(1, 1, box.X, box.Y)
                .Then(toTemplate)
                .Then(AffineMap.Create(found, frame.ImageSize))
                .Then(toTemplate.Inverse())
        );
    }

    /// <summary>Cuts the region out of an image.</summary>
    /// <param name="image">The whole image, or that scaled down while it was decoded.</param>
    /// <param name="size">Rows and columns of the upright file.</param>
    /// <param name="found">What <see cref="FindPart"/> returned for the image.</param>
    public RgbImage Cut(RgbImage image, Grid size, RigidTransform found)
    {
        var box = _region.ToPixels(new Grid(image.Height, image.Width));
        var cut = new RgbImage(box.Width, box.Height, new byte[3 * box.Size.Positions]);
        var placement = Place(size, found);
        if (placement.IsUpright)
            for (var y = 0; y < box.Height; y++)
                image
                    .Pixels.AsSpan(3 * ((box.Y + y) * image.Width + box.X), 3 * box.Width)
                    .CopyTo(cut.Pixels.AsSpan(3 * y * box.Width));
        else
            Sample(
                image,
                AffineMap
                    .Create((double)placement.Size.Width / box.Width, (double)placement.Size.Height / box.Height, 0, 0)
                    .Then(placement.ToImage)
                    .Then(AffineMap.Create((double)image.Width / size.Width, (double)image.Height / size.Height, 0, 0)),
                cut
            );
        return cut;
    }

    private static void Sample(RgbImage image, AffineMap toImage, RgbImage cut)
    {
        for (var y = 0; y < cut.Height; y++)
        {
            var (rowX, rowY) = toImage.Map(0.5, y + 0.5);
            var target = cut.Pixels.AsSpan(3 * y * cut.Width, 3 * cut.Width);
            for (var x = 0; x < cut.Width; x++)
            {
                var (left, right, shareX) = Bilinear.GetNeighbours(rowX + toImage.Xx * x - 0.5, image.Width);
                var (top, bottom, shareY) = Bilinear.GetNeighbours(rowY + toImage.Yx * x - 0.5, image.Height);
                var topLeft = 3 * (top * image.Width + left);
                var topRight = 3 * (top * image.Width + right);
                var bottomLeft = 3 * (bottom * image.Width + left);
                var bottomRight = 3 * (bottom * image.Width + right);
                for (var channel = 0; channel < 3; channel++)
                    target[3 * x + channel] = (byte)(
                        Bilinear.Blend(
                            image.Pixels[topLeft + channel],
                            image.Pixels[topRight + channel],
                            image.Pixels[bottomLeft + channel],
                            image.Pixels[bottomRight + channel],
                            shareX,
                            shareY
                        ) + 0.5f
                    );
            }
        }
    }

    private static string ComputeHash(float[] template) =>
        Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(template.AsSpan())))[..16];
}
