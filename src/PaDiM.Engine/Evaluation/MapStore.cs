using System.Globalization;
using System.Text;
using PaDiM.Core.Geometry;
using PaDiM.Core.Persistence;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Files;

namespace PaDiM.Engine.Evaluation;

/// <summary>Represents the stored map of a test image.</summary>
/// <param name="Map">Scores over the prepared image.</param>
/// <param name="ImageSize">Shape of the original image.</param>
/// <param name="Placement">How the part lies in the image.</param>
public sealed record StoredMap(AnomalyMap Map, Grid ImageSize, RigidTransform Placement);

/// <summary>
/// Stores the maps of one model's test images on disk, so that an interrupted evaluation can resume. Thread-safe for
/// different images.
/// </summary>
/// <param name="directory">Contains one safetensors file per image.</param>
public sealed class MapStore(string directory)
{
    private const string MapTensor = "map";
    private const string PlacementTensor = "placement";
    private const string HeightKey = "imageHeight";
    private const string WidthKey = "imageWidth";

    /// <summary>Reads the map of an image; null if it is missing or damaged.</summary>
    public StoredMap? Read(string image)
    {
        try
        {
            using var stream = File.OpenRead(GetPath(image));
            var file = SafetensorsReader.Open(stream);
            var shape = file.GetShape(MapTensor);
            if (shape.Count != 2)
                return null;
            var placement = file.ReadArray<double>(PlacementTensor, 3);
            return new StoredMap(
                new AnomalyMap(new Grid((int)shape[0], (int)shape[1]), file.ReadArray<float>(MapTensor, [.. shape])),
                new Grid(ReadNumber(file, HeightKey), ReadNumber(file, WidthKey)),
                new RigidTransform(placement[0], placement[1], placement[2])
            );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Writes the map of an image.</summary>
    public void Write(string image, StoredMap map) =>
        AtomicFile.Write(
            GetPath(image),
            stream =>
                Safetensors.Write(
                    stream,
                    new Dictionary<string, string>
                    {
                        [HeightKey] = map.ImageSize.Height.ToString(CultureInfo.InvariantCulture),
                        [WidthKey] = map.ImageSize.Width.ToString(CultureInfo.InvariantCulture),
                    },
                    SafetensorsTensor.Create(
                        PlacementTensor,
                        [3],
                        new[] { map.Placement.Angle, map.Placement.ShiftX, map.Placement.ShiftY }
                    ),
                    SafetensorsTensor.Create(MapTensor, [map.Map.Grid.Height, map.Map.Grid.Width], map.Map.Values)
                ),
            durable: false
        );

    private static int ReadNumber(SafetensorsReader file, string key) =>
        file.Metadata.TryGetValue(key, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new InvalidDataException($"The map lacks {key}.");

    private string GetPath(string image) =>
        Path.Combine(directory, $"{FileHash.Compute(Encoding.UTF8.GetBytes(image))}.safetensors");
}
