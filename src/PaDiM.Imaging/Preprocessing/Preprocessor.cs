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
/// Prepares images as input of a backbone: antialiased bilinear resize to the image size by the rule of the settings
/// (<see cref="AspectMode"/>), optional alignment to a template or centre crop, [0, 1], normalisation. A border repeats
/// the nearest edge of the image, as alignment does beyond the image: no edge appears that no part has. Fit, score and
/// evaluation share this implementation. Immutable, thread-safe.
/// </summary>
/// <param name="settings">Sizes.</param>
/// <param name="normalisation">Mean and standard deviation of each channel.</param>
/// <param name="template">What images are registered to, grey, at the image size; null for no alignment.</param>
public sealed class Preprocessor(FitSettings settings, Normalisation normalisation, float[]? template = null)
{
    /// <summary>Null if the model sees a region: the part is then found before the region is cut out.</summary>
    private readonly RigidRegistration? _registration =
        template is null || settings.Region is not null
            ? null
            : new RigidRegistration(template, settings.GetImageSize());

    private readonly RegionCutter? _cutter = RegionCutter.Create(settings, template);

    /// <summary>Gets the size that images are resized to, before any crop.</summary>
    public Grid ImageSize { get; } = settings.GetImageSize();

    /// <summary>Gets the shape of the backbone's input.</summary>
    public Grid PreparedSize { get; } = settings.GetPreparedSize();

    /// <summary>Gets what tells regions of interest of one image apart in a name; empty for whole images.</summary>
    internal string RegionKey => _cutter?.Key ?? "";

    /// <summary>Gets what the model sees of an image: its region of interest, or all of it.</summary>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="size">Size of the upright file.</param>
    /// <param name="found">Where the part was found, for <see cref="CreateMapper"/>; the identity if the region does not
    /// move.</param>
    /// <param name="parts">What was found in the same decoded image; null for nothing.</param>
    /// <returns>Its pixels, and its size in pixels of the file.</returns>
    public (RgbImage Image, Grid Size) Cut(
        RgbImage image,
        Grid size,
        out RigidTransform found,
        FoundParts? parts = null
    )
    {
        found = RigidTransform.Identity;
        if (_cutter is null)
            return (image, size);
        found = _cutter.FindPart(image, size, parts);
        return (_cutter.Cut(image, size, found), _cutter.Place(size, found).Size);
    }

    /// <summary>Creates what leads from the prepared image back to the pixels of the whole image.</summary>
    /// <param name="size">Size of the upright file.</param>
    /// <param name="placement">How the part lies in the image.</param>
    public OriginalMapper CreateMapper(Grid size, RigidTransform placement)
    {
        if (_cutter is null)
            return new OriginalMapper(CreateFrame(size));
        var region = _cutter.Place(size, placement);
        return new OriginalMapper(CreateFrame(region.Size), region);
    }

    /// <summary>Creates the frame that says how an image lies in the prepared image.</summary>
    /// <param name="size">Size of the upright image, of what <see cref="Cut"/> returned.</param>
    public ImageFrame CreateFrame(Grid size) => settings.CreateFrame(size);

    /// <summary>Gets whether images are aligned to a template.</summary>
    internal bool IsAligned => _registration is not null;

    /// <summary>Opens an image to prepare it tile by tile.</summary>
    /// <param name="image">The original, or the original scaled down while it was decoded; read until the reader is
    /// disposed.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    /// <param name="tiles">Tiles of the prepared image, in pixels.</param>
    /// <param name="measures">Whether the image is to be measured too.</param>
    public TileReader ReadTiles(RgbImage image, ImageFrame frame, TileGrid tiles, bool measures) =>
        new(this, image, frame, tiles, measures);

    /// <summary>
    /// Resizes an image, 8 bits per channel, without a border. Prepared again, it gives the same input except for the
    /// rounding.
    /// </summary>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    internal static RgbImage Shrink(RgbImage image, ImageFrame frame)
    {
        var (height, width) = (frame.Target.Height, frame.Target.Width);
        var shrunk = new RgbImage(width, height, new byte[3 * frame.Target.Positions]);
        using var resampler = new AntialiasedResampler(image, frame);
        var row = ArrayPool<float>.Shared.Rent(3 * width);
        for (var y = 0; y < height; y++)
        {
            resampler.Row(y, row.AsSpan(0, 3 * width));
            Round(row, shrunk.Pixels.AsSpan(3 * y * width, 3 * width));
        }
        ArrayPool<float>.Shared.Return(row);
        return shrunk;
    }

    /// <summary>Prepares an image that has all pixels of its file.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="prepared">Shape <c>(3, PreparedSize.Height, PreparedSize.Width)</c>.</param>
    /// <returns>The position of the part in the image, in pixels of the image size; the identity without
    /// alignment.</returns>
    public RigidTransform Prepare(RgbImage image, Span<float> prepared) =>
        Prepare(image, CreateFrame(new Grid(image.Height, image.Width)), prepared);

    /// <summary>Prepares an image.</summary>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    /// <param name="prepared">Shape <c>(3, PreparedSize.Height, PreparedSize.Width)</c>.</param>
    /// <returns>As <see cref="Prepare(RgbImage, Span{float})"/>.</returns>
    public RigidTransform Prepare(RgbImage image, ImageFrame frame, Span<float> prepared) =>
        Prepare(image, frame, prepared, sight: null);

    /// <summary>Prepares an image, and measures it while its rows are at hand.</summary>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    /// <param name="prepared">Shape <c>(3, PreparedSize.Height, PreparedSize.Width)</c>.</param>
    /// <param name="traits">What the image is like.</param>
    /// <returns>As <see cref="Prepare(RgbImage, Span{float})"/>.</returns>
    public RigidTransform Prepare(RgbImage image, ImageFrame frame, Span<float> prepared, out InputTraits traits)
    {
        using var sight = new PreparedSight(frame.Content);
        var placement = Prepare(image, frame, prepared, sight);
        traits = sight.Measure(frame.Original);
        return placement;
    }

    /// <summary>Measures an image that <see cref="Shrink"/> returned, as <see cref="Prepare(RgbImage, ImageFrame,
    /// Span{float}, out InputTraits)"/> does.</summary>
    internal InputTraits Measure(RgbImage shrunk, Grid? size)
    {
        var frame = CreateFrame(new Grid(shrunk.Height, shrunk.Width));
        using var sight = new PreparedSight(frame.Content);
        var row = ArrayPool<float>.Shared.Rent(3 * frame.Content.Width);
        for (var y = 0; y < frame.Content.Height; y++)
        {
            var at = y + frame.Rows.TargetOffset;
            var bytes = shrunk.Pixels.AsSpan(
                3 * (at * shrunk.Width + frame.Columns.TargetOffset),
                3 * frame.Content.Width
            );
            for (var i = 0; i < bytes.Length; i++)
                row[i] = bytes[i];
            sight.Add(y, row.AsSpan(0, bytes.Length));
        }
        ArrayPool<float>.Shared.Return(row);
        return sight.Measure(size);
    }

    private RigidTransform Prepare(RgbImage image, ImageFrame frame, Span<float> prepared, PreparedSight? sight)
    {
        if (_registration is not null)
            return PrepareAndShrink(image, frame, prepared, shrunk: null, sight);
        // Row by row, while the row is in the nearest cache.
        using var resampler = new AntialiasedResampler(image, frame);
        var row = ArrayPool<float>.Shared.Rent(3 * ImageSize.Width);
        var (rows, columns) = (frame.Rows, frame.Columns);
        var resized = -1;
        for (var y = 0; y < PreparedSize.Height; y++)
        {
            // Beyond the image, its first or last row is repeated.
            var source = Math.Clamp(y + rows.Margin - rows.TargetStart, 0, rows.TargetLength - 1);
            if (source != resized)
            {
                resampler.Row(source, row.AsSpan(3 * columns.TargetStart, 3 * columns.TargetLength));
                RepeatEdges(row, columns);
                resized = source;
            }
            Normalise(row, y, columns.Margin, prepared);
            if (y >= rows.ContentStart && y < rows.ContentStart + rows.ContentLength)
                sight?.Add(y - rows.ContentStart, GetContent(row, columns));
        }
        ArrayPool<float>.Shared.Return(row);
        return RigidTransform.Identity;
    }

    /// <summary>
    /// Prepares an image and, if asked for, also writes the image as <see cref="Shrink"/> returns it.
    /// </summary>
    internal RigidTransform PrepareAndShrink(
        RgbImage image,
        ImageFrame frame,
        Span<float> prepared,
        RgbImage? shrunk,
        PreparedSight? sight = null
    )
    {
        var (pixels, placement) = ResizeAndAlign(image, frame, shrunk, sight);
        Normalise(pixels, frame, prepared);
        ArrayPool<float>.Shared.Return(pixels);
        return placement;
    }

    /// <summary>Resizes an image and, if images are aligned, brings it into the frame of the template.</summary>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    /// <param name="shrunk">Receives the resized image as <see cref="Shrink"/> returns it; null for none.</param>
    /// <param name="sight">Measures the resized image; null for none.</param>
    /// <returns>At least the pixels at the image size, in an array of the shared pool; and the position of the
    /// part.</returns>
    internal (float[] Pixels, RigidTransform Placement) ResizeAndAlign(
        RgbImage image,
        ImageFrame frame,
        RgbImage? shrunk,
        PreparedSight? sight
    )
    {
        var length = 3 * ImageSize.Positions;
        var resized = ArrayPool<float>.Shared.Rent(length);
        Resize(image, frame, resized.AsSpan(0, length), shrunk);
        for (var y = 0; sight is not null && y < frame.Content.Height; y++)
        {
            var at = y + frame.Rows.ContentStart + frame.Rows.Margin;
            sight.Add(y, GetContent(resized.AsSpan(3 * at * ImageSize.Width, 3 * ImageSize.Width), frame.Columns));
        }
        var placement = _registration?.Register(ToGrey(resized.AsSpan(0, length))) ?? RigidTransform.Identity;
        if (placement == RigidTransform.Identity)
            return (resized, placement);
        var aligned = ArrayPool<float>.Shared.Rent(length);
        Warping.ToTemplate(resized.AsSpan(0, length), ImageSize, placement, aligned.AsSpan(0, length));
        ArrayPool<float>.Shared.Return(resized);
        return (aligned, placement);
    }

    /// <summary>Resizes an image to the image size, with its border.</summary>
    internal static float[] Resize(RgbImage image, ImageFrame frame)
    {
        var resized = new float[3 * frame.ImageSize.Positions];
        Resize(image, frame, resized, shrunk: null);
        return resized;
    }

    private static void Resize(RgbImage image, ImageFrame frame, Span<float> resized, RgbImage? shrunk)
    {
        using var resampler = new AntialiasedResampler(image, frame);
        var (rows, columns) = (frame.Rows, frame.Columns);
        var stride = 3 * frame.ImageSize.Width;
        for (var y = 0; y < rows.TargetLength; y++)
        {
            var row = resized.Slice((rows.TargetStart + y) * stride, stride);
            var target = row.Slice(3 * columns.TargetStart, 3 * columns.TargetLength);
            resampler.Row(y, target);
            if (shrunk is not null)
                Round(target, shrunk.Pixels.AsSpan(y * target.Length, target.Length));
            RepeatEdges(row, columns);
        }
        RepeatEdges(resized, rows, stride);
    }

    /// <summary>Gets an image that <see cref="Shrink"/> returned at the image size, with its border.</summary>
    internal static float[] ToImageSize(RgbImage shrunk, FitSettings settings)
    {
        var frame = settings.CreateFrame(new Grid(shrunk.Height, shrunk.Width));
        var (rows, columns) = (frame.Rows, frame.Columns);
        var stride = 3 * frame.ImageSize.Width;
        var whole = new float[3 * frame.ImageSize.Positions];
        for (var y = 0; y < shrunk.Height; y++)
        {
            var row = whole.AsSpan((rows.TargetStart + y) * stride, stride);
            for (var i = 0; i < 3 * shrunk.Width; i++)
                row[3 * columns.TargetStart + i] = shrunk.Pixels[3 * y * shrunk.Width + i];
            RepeatEdges(row, columns);
        }
        RepeatEdges(whole, rows, stride);
        return whole;
    }

    /// <summary>Fills a row left and right of the image with its first and last pixel.</summary>
    internal static void RepeatEdges(Span<float> row, FrameAxis columns) => RepeatEdges(row, columns, 3);

    /// <summary>Fills what lies before and behind the image with its first and last item.</summary>
    private static void RepeatEdges(Span<float> items, FrameAxis axis, int stride)
    {
        var end = axis.TargetStart + axis.TargetLength;
        for (var i = 0; i < axis.TargetStart; i++)
            items.Slice(axis.TargetStart * stride, stride).CopyTo(items[(i * stride)..]);
        for (var i = end; i < axis.ImageLength; i++)
            items.Slice((end - 1) * stride, stride).CopyTo(items[(i * stride)..]);
    }

    internal static ReadOnlySpan<float> GetContent(ReadOnlySpan<float> row, FrameAxis columns) =>
        row.Slice(3 * (columns.ContentStart + columns.Margin), 3 * columns.ContentLength);

    /// <summary>
    /// Moves a map from the template's frame to that of the image. Pixels that the template does not cover are 0, and
    /// pixels of the template that lie outside the image, or on its border, are dropped.
    /// </summary>
    /// <param name="map">A map of the prepared size, 0 on a border.</param>
    /// <param name="frame">How the image lies in the prepared image.</param>
    /// <param name="placement">What <see cref="Prepare(RgbImage, Span{float})"/> returned for the image.</param>
    public AnomalyMap ToImageFrame(AnomalyMap map, ImageFrame frame, RigidTransform placement)
    {
        // A region is cut out where the part is.
        if (placement == RigidTransform.Identity || _cutter is not null)
            return map;
        var moved = new float[map.Values.Length];
        Warping.ToImage(map.Values, ImageSize, placement, moved);
        if (frame.HasBorder)
            for (var i = 0; i < moved.Length; i++)
                if (!frame.IsContent(i / map.Grid.Width, i % map.Grid.Width))
                    moved[i] = 0;
        return new AnomalyMap(map.Grid, moved);
    }

    /// <summary>Converts pixels of shape <c>(n, 3)</c> to the grey values that are registered.</summary>
    internal static float[] ToGrey(ReadOnlySpan<float> pixels)
    {
        var grey = new float[pixels.Length / 3];
        Luma.FromRgb(pixels, grey);
        return grey;
    }

    private void Normalise(ReadOnlySpan<float> resized, ImageFrame frame, Span<float> prepared)
    {
        for (var y = 0; y < PreparedSize.Height; y++)
            Normalise(resized[(3 * (y + frame.Rows.Margin) * ImageSize.Width)..], y, frame.Columns.Margin, prepared);
    }

    /// <summary>Normalises one row of the prepared image, from the row of the resized image.</summary>
    private void Normalise(ReadOnlySpan<float> resized, int y, int margin, Span<float> prepared) =>
        Normalise(resized.Slice(3 * margin, 3 * PreparedSize.Width), y, PreparedSize, prepared);

    /// <summary>Normalises one row.</summary>
    /// <param name="row">Its pixels in [0, 255], shape <c>(size.Width, 3)</c>.</param>
    /// <param name="y">Index of the row in the result.</param>
    /// <param name="size">Shape of the result, in pixels.</param>
    /// <param name="prepared">Shape <c>(3, size.Height, size.Width)</c>.</param>
    internal void Normalise(ReadOnlySpan<float> row, int y, Grid size, Span<float> prepared)
    {
        var width = size.Width;
        var plane = size.Positions;
        var mean = normalisation.Mean;
        var std = normalisation.Std;
        var range = normalisation.Range;
        var (r, g, b) = normalisation.Planes;
        var scale = Vector128.Create(range / (255 * std[r]), range / (255 * std[g]), range / (255 * std[b]), 0);
        var shift = Vector128.Create(-mean[r] / std[r], -mean[g] / std[g], -mean[b] / std[b], 0);
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

    internal static void Round(ReadOnlySpan<float> pixels, Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)Math.Clamp(pixels[i] + 0.5f, 0, 255);
    }
}
