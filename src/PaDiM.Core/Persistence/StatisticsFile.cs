using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Persistence;

/// <summary>
/// The growing sums of a fit as a safetensors file, stored with its model so that images can be added or removed later:
/// <c>mean</c> F64 (h, w, d), <c>scatter</c> F64 (h, w, d (d + 1) / 2) and <c>count</c> I32 (1).
/// </summary>
public static class StatisticsFile
{
    private const string Format = "padim-statistics/1";

    /// <summary>Writes statistics.</summary>
    public static void Write(Stream stream, PatchStatistics statistics)
    {
        var grid = statistics.Grid;
        var d = statistics.Dimensions;
        Safetensors.Write(
            stream,
            new Dictionary<string, string> { ["format"] = Format },
            SafetensorsTensor.Create("count", [1], new[] { statistics.Count }),
            SafetensorsTensor.Create("mean", [grid.Height, grid.Width, d], statistics.Mean),
            SafetensorsTensor.Create(
                "scatter",
                [grid.Height, grid.Width, PackedTriangle.GetLength(d)],
                statistics.Scatter
            )
        );
    }

    /// <summary>Reads statistics and verifies them.</summary>
    /// <exception cref="InvalidDataException">The file has no statistics, or is damaged.</exception>
    public static PatchStatistics Read(Stream stream)
    {
        var file = SafetensorsReader.Open(stream);
        var shape = file.GetShape("mean");
        if (file.Metadata.GetValueOrDefault("format") != Format || shape.Count != 3)
            throw new InvalidDataException("The file has no patch statistics of a known version.");
        try
        {
            var grid = new Grid((int)shape[0], (int)shape[1]);
            var d = (int)shape[2];
            return new PatchStatistics(
                grid,
                d,
                file.ReadArray<int>("count", 1)[0],
                file.ReadArray<double>("mean", grid.Height, grid.Width, d),
                file.ReadArray<double>("scatter", grid.Height, grid.Width, PackedTriangle.GetLength(d))
            );
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new InvalidDataException("The file's statistics are invalid.", e);
        }
    }
}
