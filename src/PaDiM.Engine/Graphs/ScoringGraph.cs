using Google.Protobuf;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Scoring as ONNX nodes, from feature maps to <c>anomaly_map</c> (n, 1, H, W) and <c>score</c> (n): reduction a tap at
/// the tap's own resolution, replication onto the finest grid, M = |F (x - mean)|, upsampling, smoothing, maximum. The
/// statistics are tensors that the graph reads by name (<see cref="ScoringStatistics"/>): inputs of a graph of its own,
/// or weights of an exported one.
/// </summary>
/// <remarks>
/// Upsampling and smoothing are linear and separable: two small matrices, read off the kernel that they must agree
/// with, do both at once, mirrored borders included, with fewer operations than a convolution of the large map.
/// </remarks>
/// <param name="model">The model.</param>
/// <param name="tapGrids">Positions of each tap at the model's prepared size.</param>
internal sealed class ScoringGraph(PadimModel model, IReadOnlyList<Grid> tapGrids)
{
    /// <summary>Names of the outputs.</summary>
    public const string Map = "anomaly_map",
        Score = "score";

    /// <summary>All other tensors that are computed here.</summary>
    public const string Prefix = "padim/";

    private const int Opset = 18,
        IrVersion = 8;

    private readonly Grid _fine = model.Distribution.Grid,
        _prepared = model.Settings.GetPreparedSize();

    /// <summary>Name of a reduced tap as an input of the graph of its own.</summary>
    public static string FeaturesOf(int tap) => $"features_{tap}";

    /// <summary>
    /// A graph of its own: inputs are the reduced maps (n, h_l, w_l, d), as <see cref="TapReduction"/> gives them, and
    /// the statistics. Equal shapes and settings give equal bytes.
    /// </summary>
    public byte[] ToArray()
    {
        var builder = new GraphBuilder(new GraphProto { Name = "padim" }, Opset);
        var d = model.Distribution.Dimensions;
        var maps = tapGrids
            .Select((grid, l) => builder.Input(FeaturesOf(l), GraphBuilder.Batch, grid.Height, grid.Width, d))
            .ToArray();
        foreach (var tensor in ScoringStatistics.Of(model))
            builder.Input(tensor.Name, [.. tensor.Shape]);
        Append(builder, Sum(builder, [.. maps.Select((map, l) => Vectors(builder, map, l, d))]));
        return new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "PaDiM.Service",
            Graph = builder.Graph,
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = Opset },
            },
        }.ToByteArray();
    }

    /// <summary>Adds the nodes and the outputs; the statistics are the caller's to declare.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="taps">Names of the taps' tensors.</param>
    public void AppendTo(GraphBuilder builder, IReadOnlyList<string> taps) => Append(builder, Embed(builder, taps));

    private void Append(GraphBuilder builder, string embedding)
    {
        var distances = Distances(builder, embedding);
        var rows = Matrix(_fine.Height, _prepared.Height);
        var columns = Transpose(Matrix(_fine.Width, _prepared.Width), _prepared.Width);
        var tall = builder.Node(
            "MatMul",
            $"{Prefix}tall",
            [builder.Constant($"{Prefix}rows", [_prepared.Height, _fine.Height], rows), distances]
        );
        string[] factors = [tall, builder.Constant($"{Prefix}columns", [_fine.Width, _prepared.Width], columns)];
        if (model.Ignored is null)
            builder.Node("MatMul", Map, factors);
        else
            builder.Node("Mul", Map, [builder.Node("MatMul", $"{Prefix}smooth", factors), ScoringStatistics.Gains]);
        builder.Reduce("ReduceMax", Score, Map, 1, 2, 3);
        builder.Output(Map, GraphBuilder.Batch, 1, _prepared.Height, _prepared.Width);
        builder.Output(Score, GraphBuilder.Batch);
    }

    /// <summary>
    /// x_p, shape (P, n, d): positions first, so that replication copies whole vectors and each position is one
    /// product.
    /// </summary>
    private string Embed(GraphBuilder builder, IReadOnlyList<string> taps)
    {
        var selection = model.Reduction as ChannelSelection;
        var chosenByTap = selection?.GroupByTap().ToArray();
        var reduced = new List<string>();
        for (var l = 0; l < taps.Count; l++)
        {
            var channels = model.Reduction.TapChannels[l];
            var grid = tapGrids[l];
            var name = $"{Prefix}tap_{l}";
            var tensor = taps[l];
            if (chosenByTap is not null)
            {
                long[] chosen = [.. chosenByTap[l].Select(channel => (long)channel)];
                if (chosen.Length == 0)
                    continue;
                if (chosen.Length < channels)
                    tensor = builder.Node(
                        "Gather",
                        $"{name}/chosen",
                        [tensor, builder.Constant($"{name}/channels", [chosen.Length], chosen)],
                        GraphBuilder.Integer("axis", 1)
                    );
                channels = chosen.Length;
            }
            tensor = builder.Node(
                "Reshape",
                $"{name}/flat",
                [tensor, builder.Constant($"{name}/flat_shape", [3], [0L, channels, grid.Positions])]
            );
            if (selection is null)
                tensor = builder.Node("MatMul", $"{name}/projected", [ScoringStatistics.ProjectionOf(l), tensor]);
            tensor = builder.Node("Transpose", $"{name}/vectors", [tensor], GraphBuilder.Integers("perm", 2, 0, 1));
            reduced.Add(Replicated(builder, tensor, l));
        }
        if (selection is not null)
            return reduced.Count == 1
                ? reduced[0]
                : builder.Node("Concat", $"{Prefix}embedding", reduced, GraphBuilder.Integer("axis", 2));
        return Sum(builder, reduced);
    }

    /// <summary>The vectors of a reduced map, shape (P, n, d).</summary>
    private string Vectors(GraphBuilder builder, string map, int l, int d)
    {
        var name = $"{Prefix}tap_{l}";
        var flat = builder.Node(
            "Reshape",
            $"{name}/flat",
            [map, builder.Constant($"{name}/flat_shape", [3], [0L, tapGrids[l].Positions, d])]
        );
        return Replicated(
            builder,
            builder.Node("Transpose", $"{name}/vectors", [flat], GraphBuilder.Integers("perm", 1, 0, 2)),
            l
        );
    }

    private string Replicated(GraphBuilder builder, string vectors, int l)
    {
        var name = $"{Prefix}tap_{l}";
        return tapGrids[l] == _fine
            ? vectors
            : builder.Node(
                "Gather",
                $"{name}/replicated",
                [vectors, builder.Constant($"{name}/nearest", [_fine.Positions], Nearest(tapGrids[l]))],
                GraphBuilder.Integer("axis", 0)
            );
    }

    private static string Sum(GraphBuilder builder, List<string> vectors)
    {
        var sum = vectors[0];
        for (var l = 1; l < vectors.Count; l++)
            sum = builder.Node("Add", $"{Prefix}sum_{l}", [sum, vectors[l]]);
        return sum;
    }

    /// <summary>M, weighted where pixels are ignored, shape (n, 1, h, w).</summary>
    private string Distances(GraphBuilder builder, string embedding)
    {
        var delta = builder.Node("Sub", $"{Prefix}delta", [embedding, ScoringStatistics.Mean]);
        var whitened = builder.Node("MatMul", $"{Prefix}whitened", [delta, ScoringStatistics.Whitening]);
        var norms = builder.Node(
            "Transpose",
            $"{Prefix}distances",
            [builder.Reduce("ReduceL2", $"{Prefix}norms", whitened, 2)],
            GraphBuilder.Integers("perm", 1, 0)
        );
        if (model.Ignored is not null)
            norms = builder.Node("Mul", $"{Prefix}weighted", [norms, ScoringStatistics.PatchWeights]);
        return builder.Node(
            "Reshape",
            $"{Prefix}patches",
            [norms, builder.Constant($"{Prefix}patches_shape", [4], [0L, 1, _fine.Height, _fine.Width])]
        );
    }

    /// <summary>
    /// For each fine position the coarse one whose vector it takes, as <see cref="ChannelReduction"/> replicates.
    /// </summary>
    private long[] Nearest(Grid coarse) =>
        [
            .. from y in Enumerable.Range(0, _fine.Height)
            from x in Enumerable.Range(0, _fine.Width)
            select (long)y * coarse.Height / _fine.Height * coarse.Width + (long)x * coarse.Width / _fine.Width,
        ];

    /// <summary>
    /// Upsampling and smoothing along one axis, shape (to, from): its columns are what becomes of unit vectors.
    /// </summary>
    private float[] Matrix(int from, int to)
    {
        var matrix = new float[to * from];
        var mapper = new PixelMapper(new Grid(from, 1), new Grid(to, 1), model.Settings.BlurSigma);
        for (var j = 0; j < from; j++)
        {
            var unit = new float[from];
            unit[j] = 1;
            var column = mapper.ToPixels(new AnomalyMap(new Grid(from, 1), unit)).Values;
            for (var i = 0; i < to; i++)
                matrix[i * from + j] = column[i];
        }
        return matrix;
    }

    private static float[] Transpose(float[] matrix, int rows)
    {
        var columns = matrix.Length / rows;
        var transposed = new float[matrix.Length];
        for (var i = 0; i < rows; i++)
        for (var j = 0; j < columns; j++)
            transposed[j * rows + i] = matrix[i * columns + j];
        return transposed;
    }
}
