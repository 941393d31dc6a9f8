using PaDiM.Engine.Graphs;

namespace PaDiM.Backbones.Sizes;

/// <summary>
/// Represents a table of DINOv3's rotary positions, the cosines or sines of angles for each patch of images of one size,
/// and adds its computation for any other size to a graph.
/// </summary>
/// <param name="Name">The tensor with the table.</param>
/// <param name="Rank">Number of its axes; all but the last two have the extent 1.</param>
/// <param name="Length">Extent of its last axis, a multiple of 4.</param>
/// <param name="Function">The operator that gives it from the angles: <c>Cos</c> or <c>Sin</c>.</param>
internal sealed record RotaryTable(string Name, int Rank, int Length, string Function)
{
    private const double Base = 100;
    private const double Tolerance = 1e-3;

    /// <summary>Recognises a table by its values; null if it is none of DINOv3's.</summary>
    public static RotaryTable? Find(string name, TensorValues table, PatchCounts patches)
    {
        var shape = table.Shape;
        if (
            shape.Length < 2
            || shape[^1] % 4 != 0
            || shape[^2] != patches.Count
            || shape[..^2].Any(extent => extent != 1)
        )
            return null;
        var length = (int)shape[^1];
        return Matches(Math.Cos) ? new(name, shape.Length, length, "Cos")
            : Matches(Math.Sin) ? new(name, shape.Length, length, "Sin")
            : null;

        bool Matches(Func<double, double> function)
        {
            for (var p = 0; p < patches.Count; p++)
            for (var k = 0; k < length; k++)
            {
                var down = (p / patches.Columns + 0.5) / patches.Rows * 2 - 1;
                var right = (p % patches.Columns + 0.5) / patches.Columns * 2 - 1;
                var half = k % (length / 2);
                var angle = (half < length / 4 ? down : right) * GetFrequency(half % (length / 4), length);
                if (Math.Abs(function(angle) - table.Values[p * length + k]) > Tolerance)
                    return false;
            }
            return true;
        }
    }

    /// <summary>Adds the table for the size of the image.</summary>
    /// <returns>Its name.</returns>
    public string AddTo(DimensionPieces pieces)
    {
        var builder = pieces.Builder;
        var prefix = DimensionPieces.GetName($"{Name}/");
        var down = AddAngles("down", pieces.Rows, [-1, 1, 1]);
        var right = AddAngles("right", pieces.Columns, [1, -1, 1]);
        // Both for all patches, (rows, columns, Length / 4): the sum with the other's zeros.
        var downs = Node("Add", "downs", down, Zero("right_zero", right));
        var rights = Node("Add", "rights", right, Zero("down_zero", down));
        var angles = builder.AddNode(
            "Concat",
            $"{prefix}angles",
            [downs, rights, downs, rights],
            GraphBuilder.CreateAttribute("axis", 2)
        );
        long[] shape = [.. Enumerable.Repeat(1L, Rank - 2), -1, Length];
        var flat = builder.AddNode(
            "Reshape",
            $"{prefix}flat",
            [angles, builder.AddConstant($"{prefix}shape", [Rank], shape)]
        );
        return Node(Function, "table", flat);

        string AddAngles(string name, string extent, long[] axes)
        {
            var count = PositionTable.AddFloat(builder, $"{prefix}{name}_count", extent);
            var index = PositionTable.AddRange(builder, $"{prefix}{name}_index", count);
            var middle = Node("Add", $"{name}_middle", index, Constant($"{name}_half", 0.5f));
            var twice = Node(
                "Mul",
                $"{name}_twice",
                Node("Div", $"{name}_part", middle, count),
                Constant($"{name}_two", 2)
            );
            var coordinate = builder.AddNode(
                "Reshape",
                $"{prefix}{name}_coordinate",
                [
                    Node("Sub", $"{name}_centred", twice, Constant($"{name}_one", 1)),
                    builder.AddConstant($"{prefix}{name}_axes", [3], axes),
                ]
            );
            float[] frequencies = [.. Enumerable.Range(0, Length / 4).Select(k => (float)GetFrequency(k, Length))];
            return Node(
                "Mul",
                $"{name}_angles",
                coordinate,
                builder.AddConstant($"{prefix}{name}_frequencies", [1, 1, frequencies.Length], frequencies)
            );
        }

        string Zero(string name, string of) => Node("Mul", name, of, Constant($"{name}_factor", 0));

        string Node(string type, string name, params string[] inputs) =>
            builder.AddNode(type, $"{prefix}{name}", inputs);

        string Constant(string name, float value) => builder.AddConstant($"{prefix}{name}", [1], [value]);
    }

    private static double GetFrequency(int k, int length) => 2 * Math.PI / Math.Pow(Base, k / (length / 4.0));
}
