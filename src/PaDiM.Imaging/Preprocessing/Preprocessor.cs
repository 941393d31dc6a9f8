using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Prepares images as input of a backbone: antialiased bilinear resize to a square (the aspect ratio is not kept),
/// optional alignment to a template or centre crop, [0, 1], normalisation. Also maps prepared pixels back to those of
/// the image. Fit, score and evaluation share this implementation. Immutable, thread-safe.
/// </summary>
/// <param name="settings">Sizes.</param>
/// <param name="normalisation">Mean and standard deviation of each channel.</param>
/// <param name="template">What images are registered to, grey, shape <c>(imageSize, imageSize)</c>; null for no
/// alignment.</param>
public sealed class Preprocessor(FitSettings settings, Normalisation normalisation, float[]? template = null)
{
    private readonly RigidRegistration? _registration = template is null
        ? null
        : new RigidRegistration(template, settings.ImageSize);

    /// <summary>Gets the side of the square that images are resized to, in pixels, before any crop.</summary>
    public int ImageSize { get; } = settings.ImageSize;

    /// <summary>Gets the shape of the backbone's input.</summary>
    public Grid PreparedSize { get; } = settings.GetPreparedSize();

    /// <summary>Gets the rows and columns cut off before the crop.</summary>
    private int Offset { get; } = settings.GetCropMargin();

    /// <summary>
    /// Resizes an image to a square, 8 bits per channel. Prepared again, it gives the same input except for the
    /// rounding.
    /// </summary>
    internal static RgbImage Shrink(RgbImage image, int side)
    {
        var resized = new float[3 * side * side];
        AntialiasedResampler.Resize(image, side, side, resized);
        var shrunk = new RgbImage(side, side, new byte[resized.Length]);
        Round(resized, shrunk.Pixels);
        return shrunk;
    }

    /// <summary>Prepares an image.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="prepared">Shape <c>(3, PreparedSize.Height, PreparedSize.Width)</c>.</param>
    /// <returns>The position of the part in the image, in pixels of the image size; the identity without
    /// alignment.</returns>
    public RigidTransform Prepare(RgbImage image, Span<float> prepared) => Prepare(image, prepared, sight: null);

    /// <summary>Prepares an image, and measures it while its rows are at hand.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="prepared">Shape <c>(3, PreparedSize.Height, PreparedSize.Width)</c>.</param>
    /// <param name="size">Rows and columns of the upright file.</param>
    /// <param name="traits">What the image is like.</param>
    /// <returns>As <see cref="Prepare(RgbImage, Span{float})"/>.</returns>
    public RigidTransform Prepare(RgbImage image, Span<float> prepared, Grid size, out InputTraits traits)
    {
        using var sight = new PreparedSight(PreparedSize.Width);
        var placement = Prepare(image, prepared, sight);
        traits = sight.Measure(size);
        return placement;
    }

    /// <summary>Measures an image that <see cref="Shrink"/> returned, as <see cref="Prepare(RgbImage, Span{float},
    /// Grid, out InputTraits)"/> does.</summary>
    internal InputTraits Measure(RgbImage shrunk, Grid? size)
    {
        using var sight = new PreparedSight(PreparedSize.Width);
        var row = ArrayPool<float>.Shared.Rent(3 * PreparedSize.Width);
        for (var y = 0; y < PreparedSize.Height; y++)
        {
            var bytes = shrunk.Pixels.AsSpan(3 * ((y + Offset) * ImageSize + Offset), 3 * PreparedSize.Width);
            for (var i = 0; i < bytes.Length; i++)
                row[i] = bytes[i];
            sight.Add(y, row.AsSpan(0, bytes.Length));
        }
        ArrayPool<float>.Shared.Return(row);
        return sight.Measure(size);
    }

    private RigidTransform Prepare(RgbImage image, Span<float> prepared, PreparedSight? sight)
    {
        if (_registration is not null)
            return PrepareAndShrink(image, prepared, shrunk: null, sight);
        // Row by row, while the row is in the nearest cache.
        using var resampler = new AntialiasedResampler(image, ImageSize, ImageSize);
        var row = ArrayPool<float>.Shared.Rent(3 * ImageSize);
        for (var y = 0; y < PreparedSize.Height; y++)
        {
            resampler.Row(y + Offset, row.AsSpan(0, 3 * ImageSize));
            Normalise(row, y, prepared);
            sight?.Add(y, row.AsSpan(3 * Offset, 3 * PreparedSize.Width));
        }
        ArrayPool<float>.Shared.Return(row);
        return RigidTransform.Identity;
    }

    /// <summary>
    /// Prepares an image and, if asked for, also writes the image as <see cref="Shrink"/> returns it.
    /// </summary>
    internal RigidTransform PrepareAndShrink(
        RgbImage image,
        Span<float> prepared,
        RgbImage? shrunk,
        PreparedSight? sight = null
    )
    {
        var length = 3 * ImageSize * ImageSize;
        var resized = ArrayPool<float>.Shared.Rent(length);
        AntialiasedResampler.Resize(image, ImageSize, ImageSize, resized);
        if (shrunk is not null)
            Round(resized.AsSpan(0, length), shrunk.Pixels);
        var placement = _registration?.Register(ToGrey(resized.AsSpan(0, length))) ?? RigidTransform.Identity;
        if (placement == RigidTransform.Identity)
            Normalise(resized, prepared);
        else
        {
            var aligned = ArrayPool<float>.Shared.Rent(length);
            Warping.ToTemplate(resized.AsSpan(0, length), ImageSize, placement, aligned.AsSpan(0, length));
            Normalise(aligned, prepared);
            ArrayPool<float>.Shared.Return(aligned);
        }
        // Last, because it rounds the rows.
        for (var y = 0; sight is not null && y < PreparedSize.Height; y++)
            sight.Add(y, resized.AsSpan(3 * ((y + Offset) * ImageSize + Offset), 3 * PreparedSize.Width));
        ArrayPool<float>.Shared.Return(resized);
        return placement;
    }

    /// <summary>
    /// Moves a map from the template's frame to that of the image. Pixels that the template does not cover are 0, and
    /// pixels of the template that lie outside the image are dropped.
    /// </summary>
    /// <param name="map">A map of the prepared size.</param>
    /// <param name="placement">What <see cref="Prepare(RgbImage, Span{float})"/> returned for the image.</param>
    public AnomalyMap ToImageFrame(AnomalyMap map, RigidTransform placement)
    {
        if (placement == RigidTransform.Identity)
            return map;
        var moved = new float[map.Values.Length];
        Warping.ToImage(map.Values, ImageSize, placement, moved);
        return new AnomalyMap(map.Grid, moved);
    }

    /// <summary>Converts a region of the prepared image to pixels of the original, rounded outwards.</summary>
    public AnomalyRegion ToOriginal(AnomalyRegion region, int width, int height)
    {
        var scaleX = (double)width / ImageSize;
        var scaleY = (double)height / ImageSize;
        var left = (int)Math.Floor((region.X + Offset) * scaleX);
        var top = (int)Math.Floor((region.Y + Offset) * scaleY);
        var right = Math.Min(width, (int)Math.Ceiling((region.X + region.Width + Offset) * scaleX));
        var bottom = Math.Min(height, (int)Math.Ceiling((region.Y + region.Height + Offset) * scaleY));
        return new AnomalyRegion(
            left,
            top,
            right - left,
            bottom - top,
            Math.Max(1, (int)Math.Round(region.Area * scaleX * scaleY)),
            region.PeakScore,
            // Clamped, because rounding to float could leave the box.
            region
                .Contour?.Select(corner =>
                    new[]
                    {
                        Math.Clamp((float)((corner[0] + Offset) * scaleX), left, right),
                        Math.Clamp((float)((corner[1] + Offset) * scaleY), top, bottom),
                    }
                )
                .ToArray()
        );
    }

    /// <summary>
    /// Marks the pixels of the original that show a defect. The pixels of the map are enlarged without interpolation,
    /// so the mask has the area of the regions, no pixel outside their boxes, and none that is ignored. Where the
    /// original is smaller than the map, a pixel is marked if any pixel of the map below it is.
    /// </summary>
    /// <param name="map">A map of the prepared size.</param>
    /// <param name="threshold">Scores at or above it are marked.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <returns>255 for a defect, 0 elsewhere; shape <c>(height, width)</c>.</returns>
    public byte[] ToOriginalMask(AnomalyMap map, double threshold, int width, int height)
    {
        var columns = FindSources(width, map.Grid.Width);
        var rows = FindSources(height, map.Grid.Height);
        var mask = new byte[width * height];
        for (var y = 0; y < height; y++)
        {
            var line = mask.AsSpan(y * width, width);
            if (y > 0 && rows[y] == rows[y - 1])
            {
                mask.AsSpan((y - 1) * width, width).CopyTo(line);
                continue;
            }
            for (var x = 0; x < width; x++)
            for (var row = rows[y].First; row < rows[y].End; row++)
            for (var column = columns[x].First; column < columns[x].End; column++)
                if (map.Values[row * map.Grid.Width + column] >= threshold)
                    line[x] = 255;
        }
        return mask;
    }

    /// <summary>Finds the pixels of the map below each pixel of the original, along one axis.</summary>
    private (int First, int End)[] FindSources(int length, int mapLength)
    {
        var sources = new (int First, int End)[length];
        for (var i = 0; i < length; i++)
        {
            var (first, end) =
                length >= ImageSize
                    ? Middle((int)((2L * i + 1) * ImageSize / (2L * length)))
                    : ((int)((long)i * ImageSize / length), (int)(((i + 1L) * ImageSize + length - 1) / length));
            // What the crop cut off is below no pixel of the map.
            first = Math.Clamp(first - Offset, 0, mapLength);
            end = Math.Clamp(end - Offset, first, mapLength);
            sources[i] = (first, end);
        }
        return sources;

        static (int First, int End) Middle(int at) => (at, at + 1);
    }

    /// <summary>Upsamples a map of the prepared image to the original size; what was cropped is 0.</summary>
    public AnomalyMap ToOriginal(AnomalyMap map, int width, int height)
    {
        if (map.Grid.Height == ImageSize)
            return map.Upsample(new Grid(height, width));
        var padded = new float[ImageSize * ImageSize];
        for (var y = 0; y < map.Grid.Height; y++)
            map.Values.AsSpan(y * map.Grid.Width, map.Grid.Width)
                .CopyTo(padded.AsSpan((y + Offset) * ImageSize + Offset));
        return new AnomalyMap(new Grid(ImageSize, ImageSize), padded).Upsample(new Grid(height, width));
    }

    /// <summary>Converts pixels of shape <c>(n, 3)</c> to the grey values that are registered.</summary>
    internal static float[] ToGrey(ReadOnlySpan<float> pixels)
    {
        var grey = new float[pixels.Length / 3];
        Luma.FromRgb(pixels, grey);
        return grey;
    }

    private void Normalise(ReadOnlySpan<float> resized, Span<float> prepared)
    {
        for (var y = 0; y < PreparedSize.Height; y++)
            Normalise(resized[(3 * (y + Offset) * ImageSize)..], y, prepared);
    }

    /// <summary>Normalises one row of the prepared image, from the row of the resized image.</summary>
    private void Normalise(ReadOnlySpan<float> resized, int y, Span<float> prepared)
    {
        var width = PreparedSize.Width;
        var plane = PreparedSize.Positions;
        var mean = normalisation.Mean;
        var std = normalisation.Std;
        var range = normalisation.Range;
        var (r, g, b) = normalisation.Planes;
        var scale = Vector128.Create(range / (255 * std[r]), range / (255 * std[g]), range / (255 * std[b]), 0);
        var shift = Vector128.Create(-mean[r] / std[r], -mean[g] / std[g], -mean[b] / std[b], 0);
        var row = resized.Slice(3 * Offset, 3 * width);
        var red = prepared.Slice(r * plane + y * width, width);
        var green = prepared.Slice(g * plane + y * width, width);
        var blue = prepared.Slice(b * plane + y * width, width);
        ref var source = ref MemoryMarshal.GetReference(row);
        var x = 0;
        // A pixel is read as four floats, so the last pixel of a row is computed on its own.
        for (; x < width - 1; x++)
        {
            var pixel = Vector128.LoadUnsafe(ref source, (nuint)(3 * x)) * scale + shift;
            red[x] = pixel[0];
            green[x] = pixel[1];
            blue[x] = pixel[2];
        }
        red[x] = row[3 * x] * scale[0] + shift[0];
        green[x] = row[3 * x + 1] * scale[1] + shift[1];
        blue[x] = row[3 * x + 2] * scale[2] + shift[2];
    }

    private static void Round(ReadOnlySpan<float> pixels, Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)Math.Clamp(pixels[i] + 0.5f, 0, 255);
    }
}
