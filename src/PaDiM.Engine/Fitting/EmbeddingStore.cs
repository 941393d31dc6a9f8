using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Engine.Files;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Caches the embeddings of training images on disk, and their pixels at the image size, so that a fit reads each image
/// once: calibration, golden images, a resumed job and an incremental fit read them from here. Everything in it can be
/// recomputed from the images. Thread-safe for different images.
/// </summary>
/// <param name="directory">The root. Contains one folder per key, which contains one safetensors file per
/// image.</param>
/// <param name="time">Gives the time at which a file was last used, by which old files are deleted.</param>
public sealed class EmbeddingStore(string directory, TimeProvider time)
{
    /// <summary>
    /// Creates the key of everything that an embedding depends on but the image: with equal keys, an image has the same
    /// embedding.
    /// </summary>
    public static string CreateKey(
        BackboneIdentity backbone,
        FitSettings settings,
        ChannelReduction reduction,
        float[]? template = null
    )
    {
        var network = $"{backbone.Sha256}|{string.Join(',', backbone.Taps)}|{backbone.Normalisation}";
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            Encoding.UTF8.GetBytes(
                FormattableString.Invariant(
                    $"{network}|{CreateSizeKey(settings)}|{settings.CropSize}|{reduction.Method}|{GetLaterSettings(settings)}"
                )
            )
        );
        hash.AppendData(MemoryMarshal.AsBytes(reduction.Weights.Span));
        hash.AppendData(MemoryMarshal.AsBytes(template.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];
    }

    /// <summary>
    /// Gets what a key says of settings that came later: nothing where all is as before, and so is the key.
    /// </summary>
    private static string GetLaterSettings(FitSettings settings) =>
        (settings.JpegDecoding == JpegDecoding.FullSize ? "" : $"{settings.JpegDecoding}|")
        + (settings.SignificantBits is { } bits ? FormattableString.Invariant($"{bits} bits|") : "")
        + (settings.LocalAverage ? "local average|" : "")
        + (
            settings.Tiles is { } tiles
                ? FormattableString.Invariant($"tiles of {tiles.Size} over {tiles.Overlap}|")
                : ""
        )
        + (settings.Region is { } region ? $"{region}|" : "");

    /// <summary>Gets whether the store has the embedding of an image.</summary>
    public bool Contains(string key, string imageSha256) => File.Exists(GetPath(key, imageSha256));

    /// <summary>Reads the embedding of an image; null if it is missing or damaged.</summary>
    /// <param name="key">The key, from <see cref="CreateKey(BackboneIdentity, FitSettings, ChannelReduction,
    /// float[])"/>.</param>
    /// <param name="imageSha256">SHA-256 of the image.</param>
    /// <param name="reuse">An embedding that is no longer needed, whose vectors may be overwritten and become the
    /// result's; null for new ones.</param>
    public PatchEmbedding? Read(string key, string imageSha256, PatchEmbedding? reuse = null)
    {
        try
        {
            using var stream = Open(key, imageSha256);
            var file = SafetensorsReader.Open(stream);
            var shape = file.GetShape("embedding");
            if (shape.Count != 3)
                return null;
            var grid = new Grid((int)shape[0], (int)shape[1]);
            var d = (int)shape[2];
            var embedding = reuse?.Grid == grid && reuse.Dimensions == d ? reuse : new PatchEmbedding(grid, d);
            file.Read("embedding", embedding.Values, [.. shape]);
            double[] placement = file.Contains("placement") ? file.ReadArray<double>("placement", 3) : [0, 0, 0];
            return embedding.WithPlacement(new RigidTransform(placement[0], placement[1], placement[2]));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Writes the embedding of an image.</summary>
    public void Write(string key, string imageSha256, PatchEmbedding embedding) =>
        AtomicFile.Write(
            GetPath(key, imageSha256),
            stream =>
                Safetensors.Write(
                    stream,
                    new Dictionary<string, string>(),
                    SafetensorsTensor.Create(
                        "placement",
                        [3],
                        new[] { embedding.Placement.Angle, embedding.Placement.ShiftX, embedding.Placement.ShiftY }
                    ),
                    SafetensorsTensor.Create(
                        "embedding",
                        [embedding.Grid.Height, embedding.Grid.Width, embedding.Dimensions],
                        embedding.Values
                    )
                ),
            durable: false
        );

    /// <summary>Removes all embeddings of a key.</summary>
    public void Remove(string key)
    {
        var folder = Path.Combine(directory, key);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Reads the pixels of an image at an image size; null if they are missing or damaged.</summary>
    /// <param name="settings">The settings, which give the size.</param>
    /// <param name="decoding">How the image was decoded.</param>
    /// <param name="imageSha256">SHA-256 of the image.</param>
    /// <param name="regionKey">Names the region of the image; empty for all of it.</param>
    public ShrunkImage? ReadPixels(
        FitSettings settings,
        DecodeOptions decoding,
        string imageSha256,
        string regionKey = ""
    )
    {
        try
        {
            using var stream = Open(CreatePixelKey(settings, decoding) + regionKey, imageSha256);
            var file = SafetensorsReader.Open(stream);
            if (file.GetShape("pixels") is not [var height, var width, 3] || !IsResized(settings, height, width))
                return null;
            var pixels = new RgbImage((int)width, (int)height, file.ReadArray<byte>("pixels", height, width, 3));
            if (!file.Contains("size"))
                return new ShrunkImage(pixels, FileSize: null);
            var size = file.ReadArray<int>("size", 2);
            return new ShrunkImage(pixels, new Grid(size[0], size[1]));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Writes the pixels of an image at the image size.</summary>
    /// <param name="settings">The settings, which give the size.</param>
    /// <param name="decoding">How the image was decoded.</param>
    /// <param name="imageSha256">SHA-256 of the image.</param>
    /// <param name="pixels">Its pixels.</param>
    /// <param name="fileSize">The upright size of its file.</param>
    /// <param name="regionKey">Names the region of the image; empty for all of it.</param>
    public void WritePixels(
        FitSettings settings,
        DecodeOptions decoding,
        string imageSha256,
        RgbImage pixels,
        Grid fileSize,
        string regionKey = ""
    ) =>
        AtomicFile.Write(
            GetPath(CreatePixelKey(settings, decoding) + regionKey, imageSha256),
            stream =>
                Safetensors.Write(
                    stream,
                    new Dictionary<string, string>(),
                    SafetensorsTensor.Create("size", [2], new[] { fileSize.Height, fileSize.Width }),
                    SafetensorsTensor.Create("pixels", [pixels.Height, pixels.Width, 3], pixels.Pixels)
                ),
            durable: false
        );

    /// <summary>Removes the pixels of all images in one region.</summary>
    public void RemovePixels(FitSettings settings, DecodeOptions decoding, string regionKey) =>
        Remove(CreatePixelKey(settings, decoding) + regionKey);

    /// <summary>Gets whether pixels fill the image size, up to the border of a letterbox.</summary>
    private static bool IsResized(FitSettings settings, long height, long width)
    {
        var size = settings.GetImageSize();
        return settings.Aspect == AspectMode.Letterbox
            ? height >= 1 && width >= 1 && height <= size.Height && width <= size.Width
            : height == size.Height && width == size.Width;
    }

    private static string CreatePixelKey(FitSettings settings, DecodeOptions decoding) =>
        $"pixels-{CreateSizeKey(settings)}"
        + (
            decoding.MinimumSize is { } least
                ? FormattableString.Invariant($"-from-{FormatSize(least.Width, least.Height)}")
                : ""
        )
        + (decoding.SignificantBits is { } bits ? FormattableString.Invariant($"-of-{bits}-bits") : "");

    /// <summary>Gets what a key says of sizes: one number for a square that images are stretched to.</summary>
    private static string CreateSizeKey(FitSettings settings)
    {
        var size = settings.GetImageSize();
        var aspect = settings.Aspect switch
        {
            AspectMode.Letterbox => "-letterbox",
            AspectMode.Crop => "-crop",
            _ => "",
        };
        return FormatSize(size.Width, size.Height) + aspect;
    }

    private static string FormatSize(int width, int height) =>
        width == height ? FormattableString.Invariant($"{width}") : FormattableString.Invariant($"{width}x{height}");

    private FileStream Open(string key, string imageSha256)
    {
        var path = GetPath(key, imageSha256);
        var stream = File.OpenRead(path);
        // The sweep deletes what has not been used for long.
        File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        return stream;
    }

    private string GetPath(string key, string imageSha256) =>
        Path.Combine(directory, key, $"{imageSha256}.safetensors");
}
