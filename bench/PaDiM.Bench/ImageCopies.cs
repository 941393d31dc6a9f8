using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Bench;

/// <summary>
/// Creates any number of encoded images: those of a folder, then copies as JPEG, shifted sideways and every second time
/// mirrored.
/// </summary>
internal static class ImageCopies
{
    /// <summary>The pixels from one copy to the next.</summary>
    private const int Shift = 8;

    /// <summary>Creates images in the order of the paths.</summary>
    public static byte[][] Create(string[] paths, int count)
    {
        if (paths.Length == 0)
            throw new InvalidOperationException("The folder has no images.");
        var decoder = new ImageDecoder();
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                {
                    var bytes = File.ReadAllBytes(paths[i % paths.Length]);
                    var copy = i / paths.Length;
                    if (copy == 0)
                        return bytes;
                    var image = ((DecodeResult.Decoded)decoder.Decode(bytes)).Image;
                    return ImageEncoder.EncodeThumbnail(
                        Move(image, copy * Shift, copy % 2 == 1),
                        Math.Max(image.Width, image.Height)
                    );
                }),
        ];
    }

    private static RgbImage Move(RgbImage image, int shift, bool mirrored)
    {
        var pixels = new byte[image.Pixels.Length];
        for (var y = 0; y < image.Height; y++)
        for (var x = 0; x < image.Width; x++)
        {
            var from = (x + shift) % image.Width;
            if (mirrored)
                from = image.Width - 1 - from;
            image.Pixels.AsSpan((y * image.Width + from) * 3, 3).CopyTo(pixels.AsSpan((y * image.Width + x) * 3));
        }
        return new RgbImage(image.Width, image.Height, pixels);
    }
}
