using System.Buffers;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Onnx.Backbones;

namespace PaDiM.Onnx.Imaging;

/// <summary>
/// From an image to a backbone's input: antialiased bilinear resize to a square (aspect not kept), optional centre crop, [0, 1], normalisation;
/// and back, from prepared pixels to the image's own. One implementation serves fit, score and evaluation. Immutable, thread-safe.
/// </summary>
/// <param name="settings">Sizes.</param>
/// <param name="normalisation">Mean and standard deviation of each channel.</param>
public sealed class Preprocessing(FitSettings settings, Normalisation normalisation)
{
    /// <summary>Side of the square that images are resized to, in pixels, before any crop.</summary>
    public int ImageSize { get; } = settings.ImageSize;

    /// <summary>Shape of the backbone's input.</summary>
    public Grid PreparedSize { get; } = settings.PreparedSize();

    /// <summary>Rows and columns cut off before the crop.</summary>
    private int Offset => (ImageSize - PreparedSize.Height) / 2;

    /// <summary>Writes the prepared image.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="prepared">Shape <c>(3, PreparedSize.Height, PreparedSize.Width)</c>.</param>
    public void Prepare(RgbImage image, Span<float> prepared) => PrepareAndShrink(image, prepared, []);

    /// <summary>As above, and also gives the image at the image size: that is prepared to the same input again, but for its rounding to 8 bits.</summary>
    public RgbImage PrepareAndShrink(RgbImage image, Span<float> prepared)
    {
        var shrunk = new byte[3 * ImageSize * ImageSize];
        PrepareAndShrink(image, prepared, shrunk);
        return new RgbImage(ImageSize, ImageSize, shrunk);
    }

    private void PrepareAndShrink(RgbImage image, Span<float> prepared, Span<byte> shrunk)
    {
        var resized = ArrayPool<float>.Shared.Rent(3 * ImageSize * ImageSize);
        AntialiasedResampler.Resize(image, ImageSize, ImageSize, resized);
        for (var i = 0; i < shrunk.Length; i++) shrunk[i] = (byte)Math.Clamp(resized[i] + 0.5f, 0, 255);
        var (size, plane) = (PreparedSize, PreparedSize.Positions);
        for (var c = 0; c < 3; c++)
        {
            var scale = 1 / (255 * normalisation.Std[c]);
            var shift = -normalisation.Mean[c] / normalisation.Std[c];
            for (var y = 0; y < size.Height; y++)
            {
                var row = resized.AsSpan(((y + Offset) * ImageSize + Offset) * 3 + c);
                var target = prepared.Slice(c * plane + y * size.Width, size.Width);
                for (var x = 0; x < target.Length; x++) target[x] = row[3 * x] * scale + shift;
            }
        }
        ArrayPool<float>.Shared.Return(resized);
    }

    /// <summary>A region of the prepared image in pixels of the original one, rounded outwards.</summary>
    public AnomalyRegion ToOriginal(AnomalyRegion region, int width, int height)
    {
        var (scaleX, scaleY) = ((double)width / ImageSize, (double)height / ImageSize);
        var left = (int)Math.Floor((region.X + Offset) * scaleX);
        var top = (int)Math.Floor((region.Y + Offset) * scaleY);
        var right = Math.Min(width, (int)Math.Ceiling((region.X + region.Width + Offset) * scaleX));
        var bottom = Math.Min(height, (int)Math.Ceiling((region.Y + region.Height + Offset) * scaleY));
        return new AnomalyRegion(left, top, right - left, bottom - top, Math.Max(1, (int)Math.Round(region.Area * scaleX * scaleY)), region.PeakScore);
    }

    /// <summary>A map over the prepared image, drawn out to the original size; what the crop left out is 0.</summary>
    public AnomalyMap ToOriginal(AnomalyMap map, int width, int height)
    {
        if (Offset == 0) return map.Upsample(new Grid(height, width));
        var padded = new float[ImageSize * ImageSize];
        for (var y = 0; y < map.Grid.Height; y++)
            map.Values.AsSpan(y * map.Grid.Width, map.Grid.Width).CopyTo(padded.AsSpan((y + Offset) * ImageSize + Offset));
        return new AnomalyMap(new Grid(ImageSize, ImageSize), padded).Upsample(new Grid(height, width));
    }
}
