using PaDiM.Engine.Graphs;

namespace PaDiM.Backbones.Sizes;

/// <summary>
/// Represents a table of learned positions, a vector for each patch of images of one size, and adds its interpolation
/// for any other size to a graph: bicubic, as PyTorch computes it, as products with two small matrices that are
/// computed while the graph runs. The Resize of ONNX Runtime has another antialiased kernel than PyTorch.
/// </summary>
/// <param name="Name">The tensor that the network adds to its tokens.</param>
/// <param name="Others">Vectors of tokens that belong to no patch, which come first.</param>
/// <param name="Rows">Rows of patches of the table.</param>
/// <param name="Columns">Columns of patches of the table.</param>
/// <param name="Channels">Length of a vector.</param>
/// <param name="Values">Shape (Others + Rows * Columns, Channels).</param>
internal sealed record PositionTable(string Name, int Others, int Rows, int Columns, int Channels, float[] Values)
{
    /// <summary>Positions beside the table that the kernel reaches.</summary>
    private const int Border = 3;

    /// <summary>Adds the table for the size of the image, shape (1, tokens, channels).</summary>
    /// <returns>Its name.</returns>
    public string AddTo(DimensionPieces pieces, PositionInterpolation interpolation)
    {
        var builder = pieces.Builder;
        var prefix = DimensionPieces.GetName($"{Name}/");
        var offset = AddOffset(pieces, prefix, interpolation);
        var down = AddMatrix(pieces, $"{prefix}down", pieces.Rows, Rows, offset, interpolation);
        var right = AddMatrix(pieces, $"{prefix}right", pieces.Columns, Columns, offset, interpolation);
        var table = builder.AddConstant(
            $"{prefix}table",
            [Rows, (long)Columns * Channels],
            Values.AsSpan(Others * Channels)
        );
        // (rows, table's columns, channels), then (rows, columns, channels): a product each.
        var tall = builder.AddNode(
            "Reshape",
            $"{prefix}tall",
            [
                builder.AddNode("MatMul", $"{prefix}tall_flat", [down, table]),
                builder.AddConstant($"{prefix}tall_shape", [3], [-1, Columns, Channels]),
            ]
        );
        var resized = builder.AddNode(
            "Reshape",
            $"{prefix}patches",
            [
                builder.AddNode("MatMul", $"{prefix}resized", [right, tall]),
                builder.AddConstant($"{prefix}patches_shape", [3], [1L, -1, Channels]),
            ]
        );
        return Others == 0
            ? resized
            : builder.AddNode(
                "Concat",
                $"{prefix}positions",
                [
                    builder.AddConstant($"{prefix}others", [1, Others, Channels], Values.AsSpan(0, Others * Channels)),
                    resized,
                ],
                GraphBuilder.CreateAttribute("axis", 1)
            );
    }

    /// <summary>
    /// Adds what is added to the number of patches: nothing where the table already has that many, since it is used as
    /// it is then.
    /// </summary>
    private string AddOffset(DimensionPieces pieces, string prefix, PositionInterpolation interpolation)
    {
        var builder = pieces.Builder;
        var differs = builder.AddNode(
            "Add",
            $"{prefix}differs",
            [Differ("rows", pieces.Rows, Rows), Differ("columns", pieces.Columns, Columns)]
        );
        var once = builder.AddNode("Min", $"{prefix}differs_once", [differs, Add("one", 1)]);
        return builder.AddNode("Mul", $"{prefix}offset", [once, Add("offset_size", interpolation.Offset)]);

        string Differ(string what, string extent, int own)
        {
            var equal = builder.AddNode("Equal", $"{prefix}{what}_equal", [extent, pieces.GetConstant(own)]);
            var not = builder.AddNode("Not", $"{prefix}{what}_not", [equal]);
            return AddFloat(builder, $"{prefix}{what}_differ", not);
        }

        string Add(string name, float value) => builder.AddConstant($"{prefix}{name}", [1], [value]);
    }

    /// <summary>Adds the matrix that interpolates along one axis, shape (to, from).</summary>
    private static string AddMatrix(
        DimensionPieces pieces,
        string prefix,
        string extent,
        int from,
        string offset,
        PositionInterpolation interpolation
    )
    {
        var builder = pieces.Builder;
        var to = AddFloat(builder, $"{prefix}/to", extent);
        var scale = Node("Div", "scale", Node("Add", "to_offset", to, offset), Constant("from", from));
        var index = AddRange(builder, $"{prefix}/index", to);
        var centre = Node(
            "Sub",
            "centre",
            Node("Div", "source", Node("Add", "middle", index, Constant("half", 0.5f)), scale),
            Constant("half_back", 0.5f)
        );
        // Shape (to, 1) against (1, from), with a border that stands for the replicated edge.
        var border = interpolation.Antialias ? 0 : Border;
        var column = builder.AddNode(
            "Reshape",
            $"{prefix}/column",
            [centre, builder.AddConstant($"{prefix}/column_shape", [2], [-1L, 1])]
        );
        float[] positions = [.. Enumerable.Range(-border, from + 2 * border).Select(position => (float)position)];
        var distance = Node(
            "Abs",
            "distance",
            Node(
                "Sub",
                "difference",
                column,
                builder.AddConstant($"{prefix}/positions", [1, positions.Length], positions)
            )
        );
        if (interpolation.Antialias)
            distance = Node("Mul", "narrowed", distance, Node("Min", "narrow", scale, Constant("one", 1)));
        var weights = AddKernel(builder, $"{prefix}/kernel", distance, interpolation.Coefficient);
        if (!interpolation.Antialias)
            return Node(
                "MatMul",
                "matrix",
                weights,
                builder.AddConstant($"{prefix}/edges", [positions.Length, from], CreateEdges(from))
            );
        var sum = Node(
            "MatMul",
            "sum",
            weights,
            builder.AddConstant($"{prefix}/ones", [from, 1], [.. Enumerable.Repeat(1f, from)])
        );
        return Node("Div", "matrix", weights, sum);

        string Node(string type, string name, params string[] inputs) =>
            builder.AddNode(type, $"{prefix}/{name}", inputs);

        string Constant(string name, float value) => builder.AddConstant($"{prefix}/{name}", [1], [value]);
    }

    /// <summary>
    /// Adds the cubic convolution kernel (Keys, 1981). Each of its two pieces is 0 at its end, so that their sum with
    /// the distance limited to each piece needs no condition.
    /// </summary>
    private static string AddKernel(GraphBuilder builder, string prefix, string distance, float a)
    {
        var near = Limit("near", 0, 1);
        var far = Limit("far", 1, 2);
        // ((a + 2) t - (a + 3)) t^2 + 1, and ((a t - 5 a) t + 8 a) t - 4 a.
        var first = Polynomial("first", near, [a + 2, -(a + 3), 0, 1]);
        var second = Polynomial("second", far, [a, -5 * a, 8 * a, -4 * a]);
        return builder.AddNode("Add", $"{prefix}/weights", [first, second]);

        string Limit(string name, float low, float high) =>
            builder.AddNode(
                "Min",
                $"{prefix}/{name}",
                [
                    builder.AddNode(
                        "Max",
                        $"{prefix}/{name}_above",
                        [distance, builder.AddConstant($"{prefix}/{name}_low", [1], [low])]
                    ),
                    builder.AddConstant($"{prefix}/{name}_high", [1], [high]),
                ]
            );

        string Polynomial(string name, string t, float[] coefficients)
        {
            var value = builder.AddConstant($"{prefix}/{name}_0", [1], [coefficients[0]]);
            for (var i = 1; i < coefficients.Length; i++)
                value = builder.AddNode(
                    "Add",
                    $"{prefix}/{name}_sum_{i}",
                    [
                        builder.AddNode("Mul", $"{prefix}/{name}_product_{i}", [value, t]),
                        builder.AddConstant($"{prefix}/{name}_{i}", [1], [coefficients[i]]),
                    ]
                );
            return value;
        }
    }

    /// <summary>Adds 0, 1, ... up to an extent.</summary>
    internal static string AddRange(GraphBuilder builder, string name, string extent) =>
        builder.AddNode(
            "Range",
            name,
            [
                builder.AddConstant($"{name}/first", [], [0f]),
                builder.AddNode(
                    "Reshape",
                    $"{name}/end",
                    [extent, builder.AddConstant($"{name}/scalar", [0], Array.Empty<long>())]
                ),
                builder.AddConstant($"{name}/step", [], [1f]),
            ]
        );

    /// <summary>Adds a conversion to float32.</summary>
    internal static string AddFloat(GraphBuilder builder, string name, string input) =>
        builder.AddNode("Cast", name, [input], GraphBuilder.CreateAttribute("to", 1));

    private static float[] CreateEdges(int from)
    {
        var edges = new float[(from + 2 * Border) * from];
        for (var i = 0; i < from + 2 * Border; i++)
            edges[i * from + Math.Clamp(i - Border, 0, from - 1)] = 1;
        return edges;
    }
}
