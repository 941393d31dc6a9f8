using Google.Protobuf;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Builds scoring as ONNX nodes, from feature maps to <c>anomaly_map</c> (n, 1, H, W) and <c>score</c> (n): reduction
/// of each tap at its own resolution, replication onto the finest grid, M = |F (x - mean)|, upsampling, smoothing,
/// maximum. The graph reads the statistics by name (<see cref="ScoringStatistics"/>): as inputs of a separate graph, or
/// as weights of an exported one.
/// </summary>
/// <remarks>
/// Upsampling and smoothing are linear and separable. Two small matrices do both at once, including the mirrored
/// borders, with fewer operations than a convolution of the large map. They are computed with the kernel on the host,
/// so that both agree.
/// </remarks>
/// <param name="model">The model.</param>
/// <param name="tapGrids">Positions of each tap for one input of the backbone: the prepared image, or a tile.</param>
internal sealed class ScoringGraph(PadimModel model, IReadOnlyList<Grid> tapGrids)
{
    /// <summary>Name of the output with the anomaly map.</summary>
    public const string Map = "anomaly_map";

    /// <summary>Name of the output with the image score.</summary>
    public const string Score = "score";

    /// <summary>
    /// Name of the input of an exported letterbox that says which pixels count: 1 where the prepared image shows the
    /// original, 0 on its border.
    /// </summary>
    public const string Counts = "counts";

    /// <summary>Prefix of the names of all other tensors that the nodes compute.</summary>
    public const string Prefix = "padim/";

    private const int Opset = 18;
    private const int IrVersion = 8;

    private readonly Grid _fine = model.Distribution.Grid;
    private readonly Grid _prepared = model.Settings.GetPreparedSize();

    /// <summary>The tiles in patch positions; null if images pass through the backbone whole.</summary>
    private readonly TileGrid? _tiles = model
        .Settings.CreateTiles()
        ?.Divide(model.Settings.GetPreparedSize().Height / model.Distribution.Grid.Height);

    /// <summary>
    /// Counts the bytes of what a model with tiles needs besides the statistics: the indices of each tap, and the
    /// matrices of upsampling. They are small for other models.
    /// </summary>
    public static long CountTileBytes(PadimModel model, int taps)
    {
        if (model.Settings.Tiles is null)
            return 0;
        var patches = model.Distribution.Grid;
        var prepared = model.Settings.GetPreparedSize();
        return (long)sizeof(long) * taps * patches.Positions
            + (long)sizeof(float) * (prepared.Height * patches.Height + prepared.Width * patches.Width);
    }

    /// <summary>Gets the name of the input of the separate graph for a reduced tap.</summary>
    public static string GetFeaturesName(int tap) => $"features_{tap}";

    /// <summary>
    /// Creates a separate graph, whose inputs are the reduced maps (n, h_l, w_l, d) of <see cref="TapReduction"/> and
    /// the statistics. Equal shapes and settings give equal bytes.
    /// </summary>
    public byte[] ToArray()
    {
        var builder = new GraphBuilder(new GraphProto { Name = "padim" }, Opset);
        var d = model.Distribution.Dimensions;
        var maps = tapGrids
            .Select(
                (grid, l) => builder.AddInput(GetFeaturesName(l), GraphBuilder.AnyBatch, grid.Height, grid.Width, d)
            )
            .ToArray();
        foreach (var tensor in ScoringStatistics.Create(model))
            builder.AddInput(tensor.Name, [.. tensor.Shape]);
        var embedding = AddSum(builder, [.. maps.Select((map, l) => AddVectors(builder, map, l, d))]);
        if (model.Settings.Aspect == AspectMode.Letterbox)
            AppendDistances(builder, embedding);
        else
            Append(builder, embedding);
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

    /// <summary>Adds the nodes and the outputs to a graph. The caller declares the statistics.</summary>
    /// <param name="builder">The graph.</param>
    /// <param name="taps">Names of the taps' tensors.</param>
    public void AppendTo(GraphBuilder builder, IReadOnlyList<string> taps) =>
        Append(builder, AddEmbedding(builder, taps));

    private void Append(GraphBuilder builder, string embedding)
    {
        var rows = builder.AddConstant(
            $"{Prefix}rows",
            [_prepared.Height, _fine.Height],
            CreateResizeMatrix(_fine.Height, _prepared.Height)
        );
        var columns = builder.AddConstant(
            $"{Prefix}columns",
            [_fine.Width, _prepared.Width],
            Transpose(CreateResizeMatrix(_fine.Width, _prepared.Width), _prepared.Width)
        );
        if (model.Settings.Aspect == AspectMode.Letterbox)
        {
            AppendLetterbox(builder, embedding, rows, columns);
            return;
        }
        var distances = AddDistances(builder, embedding, model.Ignored is null ? null : ScoringStatistics.PatchWeights);
        string[] factors = [builder.AddNode("MatMul", $"{Prefix}tall", [rows, distances]), columns];
        if (model.Ignored is null)
            builder.AddNode("MatMul", Map, factors);
        else
            builder.AddNode(
                "Mul",
                Map,
                [builder.AddNode("MatMul", $"{Prefix}smooth", factors), ScoringStatistics.Gains]
            );
        AddScore(builder);
        AddOutputs(builder);
    }

    /// <summary>
    /// Adds the score of images with a border, which differs between images: what <see cref="RegionOfInterest"/> knows
    /// of a model's own mask is computed from another input.
    /// </summary>
    private void AppendLetterbox(GraphBuilder builder, string embedding, string rows, string columns)
    {
        var counted = builder.AddInput(Counts, GraphBuilder.AnyBatch, 1, _prepared.Height, _prepared.Width);
        if (model.Settings.CreateRegion(model.Ignored, _fine) is { } region)
            counted = builder.AddNode(
                "Mul",
                $"{Prefix}counted",
                [
                    counted,
                    builder.AddConstant(
                        $"{Prefix}mask",
                        [_prepared.Height, _prepared.Width],
                        [.. region.Ignored.Select(isIgnored => isIgnored ? 0f : 1)]
                    ),
                ]
            );
        var weights = AddProduct(
            "weights",
            builder.AddConstant(
                $"{Prefix}row_shares",
                [_fine.Height, _prepared.Height],
                CreateShares(_prepared.Height, _fine.Height)
            ),
            counted,
            builder.AddConstant(
                $"{Prefix}column_shares",
                [_prepared.Width, _fine.Width],
                Transpose(CreateShares(_prepared.Width, _fine.Width), _fine.Width)
            )
        );
        var weighted = builder.AddNode(
            "Mul",
            $"{Prefix}weighted",
            [AddDistances(builder, embedding, patchWeights: null), weights]
        );
        var sums = builder.AddNode(
            "Max",
            $"{Prefix}sums",
            [
                AddProduct("smooth_weights", rows, weights, columns),
                builder.AddConstant($"{Prefix}least_sum", [1], [RegionOfInterest.MinWeight]),
            ]
        );
        var gains = builder.AddNode("Div", $"{Prefix}gains", [counted, sums]);
        builder.AddNode("Mul", Map, [AddProduct("smooth", rows, weighted, columns), gains]);
        if (model.Settings.ImageScore == ImageScoreMethod.Max)
            AddScore(builder);
        else
            AddTopScore(builder, counted);
        AddOutputs(builder);

        string AddProduct(string name, string left, string middle, string right) =>
            builder.AddNode(
                "MatMul",
                $"{Prefix}{name}",
                [builder.AddNode("MatMul", $"{Prefix}{name}/left", [left, middle]), right]
            );
    }

    /// <summary>
    /// Adds the mean of the highest pixels, whose number depends on the image: of as many as there can be, those that
    /// are too many are multiplied by 0.
    /// </summary>
    private void AddTopScore(GraphBuilder builder, string counted)
    {
        var most = ImageScore.GetTopPixels(_prepared.Positions);
        // Exact up to 2^24 pixels.
        var count = builder.AddNode(
            "Reshape",
            $"{Prefix}count",
            [AddSumOfPixels(builder, counted), builder.AddConstant($"{Prefix}count_shape", [2], [-1L, 1])]
        );
        // In whole numbers, which cannot round: (count + 99) / 100.
        var top = AddCast(
            "top",
            builder.AddNode(
                "Div",
                $"{Prefix}hundredths",
                [
                    builder.AddNode(
                        "Add",
                        $"{Prefix}rounded_up",
                        [
                            AddCast("count_integer", count, GraphBuilder.Integer64),
                            builder.AddConstant($"{Prefix}ninety_nine", [1], [99L]),
                        ]
                    ),
                    builder.AddConstant($"{Prefix}hundred", [1], [100L]),
                ]
            ),
            GraphBuilder.Float32
        );
        var isTop = builder.AddNode(
            "Less",
            $"{Prefix}is_top",
            [
                builder.AddConstant(
                    $"{Prefix}ranks",
                    [1, most],
                    [.. Enumerable.Range(0, most).Select(rank => (float)rank)]
                ),
                top,
            ]
        );
        var kept = builder.AddNode(
            "Mul",
            $"{Prefix}kept",
            [
                builder.AddLargest($"{Prefix}highest", AddPixels(builder), most),
                AddCast("is_top_number", isTop, GraphBuilder.Float32),
            ]
        );
        var sum = builder.AddNode(
            "MatMul",
            $"{Prefix}top_sum",
            [kept, builder.AddConstant($"{Prefix}top_ones", [most, 1], [.. Enumerable.Repeat(1f, most)])]
        );
        builder.AddNode(
            "Reshape",
            Score,
            [
                builder.AddNode("Div", $"{Prefix}top_mean", [sum, top]),
                builder.AddConstant($"{Prefix}score_shape", [1], [-1L]),
            ]
        );

        string AddCast(string name, string value, int type) =>
            builder.AddNode("Cast", $"{Prefix}{name}", [value], GraphBuilder.CreateAttribute("to", type));
    }

    private string AddSumOfPixels(GraphBuilder builder, string map) =>
        builder.AddNode(
            "MatMul",
            $"{Prefix}sum",
            [
                builder.AddNode(
                    "MatMul",
                    $"{Prefix}column_sums",
                    [
                        builder.AddConstant(
                            $"{Prefix}row_ones",
                            [1, _prepared.Height],
                            [.. Enumerable.Repeat(1f, _prepared.Height)]
                        ),
                        map,
                    ]
                ),
                builder.AddConstant(
                    $"{Prefix}column_ones",
                    [_prepared.Width, 1],
                    [.. Enumerable.Repeat(1f, _prepared.Width)]
                ),
            ]
        );

    /// <summary>Creates the matrix of the means over patches along one axis, shape (patches, pixels).</summary>
    private static float[] CreateShares(int pixels, int patches)
    {
        var matrix = new float[patches * pixels];
        var owners = Enumerable.Range(0, pixels).Select(i => (int)((long)i * patches / pixels)).ToArray();
        for (var i = 0; i < pixels; i++)
            matrix[owners[i] * pixels + i] = 1f / owners.Count(owner => owner == owners[i]);
        return matrix;
    }

    private void AddOutputs(GraphBuilder builder)
    {
        builder.AddOutput(Map, GraphBuilder.AnyBatch, 1, _prepared.Height, _prepared.Width);
        builder.AddOutput(Score, GraphBuilder.AnyBatch);
    }

    /// <summary>
    /// Adds only the distances, unweighted: what counts of a letterbox differs between images, and is left to the host.
    /// </summary>
    private void AppendDistances(GraphBuilder builder, string embedding)
    {
        builder.AddNode("Identity", Map, [AddDistances(builder, embedding, patchWeights: null)]);
        builder.AddOutput(Map, GraphBuilder.AnyBatch, 1, _fine.Height, _fine.Width);
    }

    private void AddScore(GraphBuilder builder)
    {
        if (model.Settings.ImageScore == ImageScoreMethod.Max)
        {
            builder.AddReduction("ReduceMax", Score, Map, 1, 2, 3);
            return;
        }
        var region = model.Settings.CreateRegion(model.Ignored, _fine);
        builder.AddReduction(
            "ReduceMean",
            Score,
            builder.AddLargest($"{Prefix}highest", AddPixels(builder), model.Settings.CreateImageScore(region).Pixels),
            1
        );
    }

    private string AddPixels(GraphBuilder builder) =>
        builder.AddNode(
            "Reshape",
            $"{Prefix}pixels",
            [Map, builder.AddConstant($"{Prefix}pixels_shape", [2], [0L, _prepared.Positions])]
        );

    /// <summary>
    /// Adds the embedding x_p, shape (P, n, d). Positions come first, so that replication copies whole vectors and each
    /// position is one product.
    /// </summary>
    private string AddEmbedding(GraphBuilder builder, IReadOnlyList<string> taps)
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
                    tensor = builder.AddNode(
                        "Gather",
                        $"{name}/chosen",
                        [tensor, builder.AddConstant($"{name}/channels", [chosen.Length], chosen)],
                        GraphBuilder.CreateAttribute("axis", 1)
                    );
                channels = chosen.Length;
            }
            // The filter commutes with the projection: it runs on whichever side has fewer channels.
            var isAveragedFirst =
                model.Settings.LocalAverage && (selection is not null || channels <= model.Reduction.Dimensions);
            if (isAveragedFirst)
                tensor = AddLocalAverage(builder, tensor, $"{name}/average", channels);
            tensor = builder.AddNode(
                "Reshape",
                $"{name}/flat",
                [tensor, builder.AddConstant($"{name}/flat_shape", [3], [0L, channels, grid.Positions])]
            );
            if (selection is null)
                tensor = builder.AddNode(
                    "MatMul",
                    $"{name}/projected",
                    [ScoringStatistics.GetProjectionName(l), tensor]
                );
            if (model.Settings.LocalAverage && !isAveragedFirst)
                tensor = AddLocalAverageOfVectors(builder, tensor, l, model.Reduction.Dimensions);
            tensor = builder.AddNode(
                "Transpose",
                $"{name}/vectors",
                [tensor],
                GraphBuilder.CreateListAttribute("perm", 2, 0, 1)
            );
            reduced.Add(AddReplication(builder, tensor, l));
        }
        if (selection is not null)
            return reduced.Count == 1
                ? reduced[0]
                : builder.AddNode("Concat", $"{Prefix}embedding", reduced, GraphBuilder.CreateAttribute("axis", 2));
        return AddSum(builder, reduced);
    }

    /// <summary>Adds the vectors of a reduced map, shape (P, n, d).</summary>
    private string AddVectors(GraphBuilder builder, string map, int l, int d)
    {
        var name = $"{Prefix}tap_{l}";
        if (model.Settings.LocalAverage)
        {
            var channelsFirst = builder.AddNode(
                "Transpose",
                $"{name}/channels_first",
                [map],
                GraphBuilder.CreateListAttribute("perm", 0, 3, 1, 2)
            );
            map = builder.AddNode(
                "Transpose",
                $"{name}/channels_last",
                [AddLocalAverage(builder, channelsFirst, $"{name}/average", d)],
                GraphBuilder.CreateListAttribute("perm", 0, 2, 3, 1)
            );
        }
        var flat = builder.AddNode(
            "Reshape",
            $"{name}/flat",
            [map, builder.AddConstant($"{name}/flat_shape", [3], [0L, tapGrids[l].Positions, d])]
        );
        return AddReplication(
            builder,
            builder.AddNode("Transpose", $"{name}/vectors", [flat], GraphBuilder.CreateListAttribute("perm", 1, 0, 2)),
            l
        );
    }

    /// <summary>Adds the local average of a projected tap, shape (n, d, h w).</summary>
    private string AddLocalAverageOfVectors(GraphBuilder builder, string vectors, int l, int d)
    {
        var name = $"{Prefix}tap_{l}";
        var grid = tapGrids[l];
        var plane = builder.AddNode(
            "Reshape",
            $"{name}/plane",
            [vectors, builder.AddConstant($"{name}/plane_shape", [4], [0L, d, grid.Height, grid.Width])]
        );
        return builder.AddNode(
            "Reshape",
            $"{name}/line",
            [
                AddLocalAverage(builder, plane, $"{name}/average", d),
                builder.AddConstant($"{name}/line_shape", [3], [0L, d, grid.Positions]),
            ]
        );
    }

    /// <summary>
    /// Adds the filter of <see cref="LocalAverage"/> as a depthwise convolution, shape (n, channels, h, w).
    /// </summary>
    private static string AddLocalAverage(GraphBuilder builder, string tensor, string name, int channels)
    {
        float[] line = [1, LocalAverage.Centre, 1];
        float[] kernel =
        [
            .. from down in line from across in line select down * across / (LocalAverage.Sum * LocalAverage.Sum),
        ];
        return builder.AddNode(
            "Conv",
            name,
            [
                builder.AddEdgePadding($"{name}/edges", tensor, 0, 0, 1, 1),
                builder.AddConstant(
                    $"{name}/weights",
                    [channels, 1, line.Length, line.Length],
                    [.. Enumerable.Repeat(kernel, channels).SelectMany(values => values)]
                ),
            ],
            GraphBuilder.CreateAttribute("group", channels)
        );
    }

    /// <summary>
    /// Adds the vectors of all fine positions. Tiles come one after the other along the axis of images: with positions
    /// before images, those of all tiles are one list, from which each fine position takes the vector of its tile.
    /// </summary>
    private string AddReplication(GraphBuilder builder, string vectors, int l)
    {
        var name = $"{Prefix}tap_{l}";
        if (_tiles is not null)
        {
            var listed = builder.AddNode(
                "Reshape",
                $"{name}/listed",
                [
                    vectors,
                    builder.AddConstant($"{name}/listed_shape", [3], [tapGrids[l].Positions * _tiles.Count, -1L, 0L]),
                ]
            );
            return builder.AddNode(
                "Gather",
                $"{name}/stitched",
                [listed, builder.AddConstant($"{name}/owned", [_fine.Positions], CreateTileIndices(tapGrids[l]))],
                GraphBuilder.CreateAttribute("axis", 0)
            );
        }
        return tapGrids[l] == _fine
            ? vectors
            : builder.AddNode(
                "Gather",
                $"{name}/replicated",
                [vectors, builder.AddConstant($"{name}/nearest", [_fine.Positions], CreateNearestIndices(tapGrids[l]))],
                GraphBuilder.CreateAttribute("axis", 0)
            );
    }

    private static string AddSum(GraphBuilder builder, List<string> vectors)
    {
        var sum = vectors[0];
        for (var l = 1; l < vectors.Count; l++)
            sum = builder.AddNode("Add", $"{Prefix}sum_{l}", [sum, vectors[l]]);
        return sum;
    }

    /// <summary>Adds the distances M, weighted by what counts of each patch, shape (n, 1, h, w).</summary>
    private string AddDistances(GraphBuilder builder, string embedding, string? patchWeights)
    {
        var delta = builder.AddNode("Sub", $"{Prefix}delta", [embedding, ScoringStatistics.Mean]);
        var whitened = builder.AddNode("MatMul", $"{Prefix}whitened", [delta, ScoringStatistics.Whitening]);
        var norms = builder.AddNode(
            "Transpose",
            $"{Prefix}distances",
            [builder.AddReduction("ReduceL2", $"{Prefix}norms", whitened, 2)],
            GraphBuilder.CreateListAttribute("perm", 1, 0)
        );
        if (patchWeights is not null)
            norms = builder.AddNode("Mul", $"{Prefix}weighted", [norms, patchWeights]);
        return builder.AddNode(
            "Reshape",
            $"{Prefix}patches",
            [norms, builder.AddConstant($"{Prefix}patches_shape", [4], [0L, 1, _fine.Height, _fine.Width])]
        );
    }

    /// <summary>
    /// Creates the indices of the coarse positions whose vectors the fine positions take, as <see cref="ReducedTaps"/>
    /// does.
    /// </summary>
    private long[] CreateNearestIndices(Grid coarse) =>
        [
            .. from y in Enumerable.Range(0, _fine.Height)
            from x in Enumerable.Range(0, _fine.Width)
            select (long)y * coarse.Height / _fine.Height * coarse.Width + (long)x * coarse.Width / _fine.Width,
        ];

    /// <summary>
    /// Creates the indices of the vectors that the fine positions take, where those of one position of all tiles lie one
    /// behind the other.
    /// </summary>
    private long[] CreateTileIndices(Grid coarse)
    {
        var indices = new long[_fine.Positions];
        for (var i = 0; i < _tiles!.Count; i++)
        {
            var tile = _tiles[i];
            for (var y = tile.Top; y < tile.Bottom; y++)
            for (var x = tile.Left; x < tile.Right; x++)
            {
                var row = (y - tile.Y) * coarse.Height / _tiles.Size;
                var column = (x - tile.X) * coarse.Width / _tiles.Size;
                indices[y * _fine.Width + x] = ((long)row * coarse.Width + column) * _tiles.Count + i;
            }
        }
        return indices;
    }

    /// <summary>
    /// Creates the matrix of upsampling and smoothing along one axis, shape (to, from): its columns are the images of
    /// the unit vectors.
    /// </summary>
    private float[] CreateResizeMatrix(int from, int to)
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
