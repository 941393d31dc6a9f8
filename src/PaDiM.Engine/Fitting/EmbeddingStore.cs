using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Engine.Files;
using PaDiM.Imaging;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Embeddings of training images on disk, and their pixels at the image size, so that a fit reads each image once:
/// calibration, golden images, a resumed job and an incremental refit take them from here. A cache: everything in it
/// can be made again from the images. Thread-safe for different images.
/// </summary>
/// <param name="directory">Root; one folder a way of embedding below it, one safetensors file an image below
/// that.</param>
/// <param name="time">Stamps what is read, so that a sweep can tell what is of use.</param>
public sealed class EmbeddingStore(string directory, TimeProvider time)
{
    /// <summary>Names a way of embedding: equal keys mean that the same image has the same embedding.</summary>
    public static string KeyOf(
        BackboneIdentity backbone,
        FitSettings settings,
        ChannelReduction reduction,
        float[]? template = null
    )
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            Encoding.UTF8.GetBytes(
                FormattableString.Invariant(
                    $"{backbone.Sha256}|{string.Join(',', backbone.Taps)}|{backbone.Normalisation}|{settings.ImageSize}|{settings.CropSize}|{reduction.Method}|"
                )
            )
        );
        hash.AppendData(MemoryMarshal.AsBytes(reduction.Weights.Span));
        hash.AppendData(MemoryMarshal.AsBytes(template.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];
    }

    /// <summary>Whether an image has been embedded in this way.</summary>
    public bool Contains(string key, string imageSha256) => File.Exists(PathOf(key, imageSha256));

    /// <summary>The embedding of an image, or null where there is none or a damaged one.</summary>
    /// <param name="key">The way of embedding.</param>
    /// <param name="imageSha256">The image.</param>
    /// <param name="reuse">An embedding that is not needed any more and may be written over; null for a new
    /// one.</param>
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
            embedding.Placement = new RigidTransform(placement[0], placement[1], placement[2]);
            return embedding;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Keeps the embedding of an image.</summary>
    public void Write(string key, string imageSha256, PatchEmbedding embedding) =>
        AtomicFile.Write(
            PathOf(key, imageSha256),
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

    /// <summary>Forgets all embeddings of a way that nothing will ask for again.</summary>
    public void Forget(string key)
    {
        var folder = Path.Combine(directory, key);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>The pixels of an image at an image size, or null where they are not kept or damaged.</summary>
    /// <param name="side">The image size.</param>
    /// <param name="imageSha256">The image.</param>
    public RgbImage? ReadPixels(int side, string imageSha256)
    {
        try
        {
            using var stream = Open(KeyOf(side), imageSha256);
            return new RgbImage(side, side, SafetensorsReader.Open(stream).ReadArray<byte>("pixels", side, side, 3));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Keeps the pixels of an image at the image size.</summary>
    public void WritePixels(string imageSha256, RgbImage pixels) =>
        AtomicFile.Write(
            PathOf(KeyOf(pixels.Width), imageSha256),
            stream =>
                Safetensors.Write(
                    stream,
                    new Dictionary<string, string>(),
                    SafetensorsTensor.Create("pixels", [pixels.Height, pixels.Width, 3], pixels.Pixels)
                ),
            durable: false
        );

    private static string KeyOf(int side) => FormattableString.Invariant($"pixels-{side}");

    private FileStream Open(string key, string imageSha256)
    {
        var path = PathOf(key, imageSha256);
        var stream = File.OpenRead(path);
        // The time tells when it was last of use.
        File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        return stream;
    }

    private string PathOf(string key, string imageSha256) => Path.Combine(directory, key, $"{imageSha256}.safetensors");
}
