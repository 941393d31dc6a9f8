using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Persistence;

/// <summary>
/// The growing sums of a fit as a safetensors file, stored with its model so that images can be added or removed later:
/// <c>mean</c> F64 (h, w, d), <c>scatter</c> F64 (h, w, d (d + 1) / 2) and <c>count</c> I32 (1). Where all positions
/// share a Gaussian, <c>mean</c> F64 (d), <c>scatter</c> F64 (d (d + 1) / 2), <c>grid</c> I32 (2) and, if only a share of
/// some positions counts, <c>shares</c> F32 (h, w).
/// </summary>
public static class StatisticsFile
{
    private const string Format = "padim-statistics/1";

    /// <summary>Writes statistics.</summary>
    public static void Write(Stream stream, TrainingStatistics statistics) =>
        Safetensors.Write(
            stream,
            new Dictionary<string, string> { ["format"] = Format },
            [
                SafetensorsTensor.Create("count", [1], new[] { statistics.Count }),
                .. statistics is SharedStatistics shared
                    ? CreateTensors(shared)
                    : CreateTensors((PatchStatistics)statistics),
            ]
        );

    /// <summary>Reads statistics and verifies them.</summary>
    /// <exception cref="InvalidDataException">The file has no statistics, or is damaged.</exception>
    public static TrainingStatistics Read(Stream stream)
    {
        var file = SafetensorsReader.Open(stream);
        var shape = file.GetShape("mean");
        if (file.Metadata.GetValueOrDefault("format") != Format || shape.Count is not (1 or 3))
            throw new InvalidDataException("The file has no training statistics of a known version.");
        try
        {
            var count = file.ReadArray<int>("count", 1)[0];
            var d = (int)shape[^1];
            var packed = PackedTriangle.GetLength(d);
            if (shape.Count == 1)
            {
                var shared = GridTensor.Read(file);
                return new SharedStatistics(
                    shared,
                    d,
                    count,
                    file.ReadArray<double>("mean", d),
                    file.ReadArray<double>("scatter", packed),
                    file.Contains("shares") ? file.ReadArray<float>("shares", shared.Height, shared.Width) : null
                );
            }
            var grid = new Grid((int)shape[0], (int)shape[1]);
            return new PatchStatistics(
                grid,
                d,
                count,
                file.ReadArray<double>("mean", grid.Height, grid.Width, d),
                file.ReadArray<double>("scatter", grid.Height, grid.Width, packed)
            );
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new InvalidDataException("The file's statistics are invalid.", e);
        }
    }

    private static List<SafetensorsTensor> CreateTensors(PatchStatistics statistics)
    {
        var grid = statistics.Grid;
        var d = statistics.Dimensions;
        return
        [
            SafetensorsTensor.Create("mean", [grid.Height, grid.Width, d], statistics.Mean),
            SafetensorsTensor.Create(
                "scatter",
                [grid.Height, grid.Width, PackedTriangle.GetLength(d)],
                statistics.Scatter
            ),
        ];
    }

    private static List<SafetensorsTensor> CreateTensors(SharedStatistics statistics)
    {
        var grid = statistics.Grid;
        var d = statistics.Dimensions;
        List<SafetensorsTensor> tensors =
        [
            SafetensorsTensor.Create("mean", [d], statistics.Mean),
            SafetensorsTensor.Create("scatter", [PackedTriangle.GetLength(d)], statistics.Scatter),
            GridTensor.Create(grid),
        ];
        if (statistics.Shares is { } shares)
            tensors.Add(SafetensorsTensor.Create("shares", [grid.Height, grid.Width], shares.ToArray()));
        return tensors;
    }
}
