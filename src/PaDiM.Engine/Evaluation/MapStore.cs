using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PaDiM.Core.Geometry;
using PaDiM.Core.Persistence;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Files;

namespace PaDiM.Engine.Evaluation;

/// <summary>A test image's map as it was scored.</summary>
/// <param name="Map">Scores over the prepared image.</param>
/// <param name="ImageSize">Shape of the image itself.</param>
/// <param name="Placement">How the part lies in it.</param>
public sealed record KeptMap(AnomalyMap Map, Grid ImageSize, RigidTransform Placement);

/// <summary>
/// Maps of one model's test images on disk, so that an evaluation that was cut off goes on where it was. Thread-safe
/// for different images.
/// </summary>
/// <param name="directory">One safetensors file an image lies in it.</param>
public sealed class MapStore(string directory)
{
    private const string Tensor = "map",
        Place = "placement",
        Height = "imageHeight",
        Width = "imageWidth";

    /// <summary>The map of an image, or null where there is none or a damaged one.</summary>
    public KeptMap? Read(string image)
    {
        try
        {
            using var stream = File.OpenRead(PathOf(image));
            var file = SafetensorsReader.Open(stream);
            var shape = file.GetShape(Tensor);
            if (shape.Count != 2)
                return null;
            var placement = file.ReadArray<double>(Place, 3);
            return new KeptMap(
                new AnomalyMap(new Grid((int)shape[0], (int)shape[1]), file.ReadArray<float>(Tensor, [.. shape])),
                new Grid(Number(file, Height), Number(file, Width)),
                new RigidTransform(placement[0], placement[1], placement[2])
            );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Keeps the map of an image.</summary>
    public void Write(string image, KeptMap kept) =>
        AtomicFile.Write(
            PathOf(image),
            stream =>
                Safetensors.Write(
                    stream,
                    new Dictionary<string, string>
                    {
                        [Height] = kept.ImageSize.Height.ToString(CultureInfo.InvariantCulture),
                        [Width] = kept.ImageSize.Width.ToString(CultureInfo.InvariantCulture),
                    },
                    SafetensorsTensor.Create(
                        Place,
                        [3],
                        new[] { kept.Placement.Angle, kept.Placement.ShiftX, kept.Placement.ShiftY }
                    ),
                    SafetensorsTensor.Create(Tensor, [kept.Map.Grid.Height, kept.Map.Grid.Width], kept.Map.Values)
                ),
            durable: false
        );

    private static int Number(SafetensorsReader file, string key) =>
        file.Metadata.TryGetValue(key, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidDataException($"The map lacks {key}.");

    private string PathOf(string image) =>
        Path.Combine(
            directory,
            $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(image)))}.safetensors"
        );
}
