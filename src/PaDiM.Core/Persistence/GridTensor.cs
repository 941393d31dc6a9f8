using PaDiM.Core.Geometry;
using PaDiM.Core.Models;

namespace PaDiM.Core.Persistence;

/// <summary>The tensor <c>grid</c> I32 (2), rows and columns, of files whose other tensors do not tell them.</summary>
internal static class GridTensor
{
    /// <summary>Name of the tensor.</summary>
    public const string Name = "grid";

    /// <summary>Creates the tensor.</summary>
    public static SafetensorsTensor Create(Grid grid) =>
        SafetensorsTensor.Create(Name, [2], new[] { grid.Height, grid.Width });

    /// <summary>Reads the tensor.</summary>
    /// <exception cref="InvalidDataException">It is missing, or no image has such a grid.</exception>
    public static Grid Read(SafetensorsReader file)
    {
        var sides = file.ReadArray<int>(Name, 2);
        return Array.TrueForAll(sides, side => side is >= 1 and <= FitSettings.MaxSize)
            ? new Grid(sides[0], sides[1])
            : throw new InvalidDataException($"The file's grid has {sides[0]} x {sides[1]} positions.");
    }
}
