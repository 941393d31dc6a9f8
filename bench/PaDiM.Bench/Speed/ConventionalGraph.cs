using Google.Protobuf;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Speed;

/// <summary>
/// Creates the conventional whole graph: a model as one ONNX file in the form that other projects export, with the
/// operations of Anomalib's PyTorch modules: every tap replicated to the finest grid, all channels concatenated, the
/// chosen ones gathered, sqrt(delta^T Cov^-1 delta) with whole inverse covariances, bilinear upsampling, and smoothing
/// with a square Gaussian kernel after reflection. The graph has the size of the model, but its channels do not match
/// the covariances.
/// </summary>
internal static class ConventionalGraph
{
    /// <summary>Creates the bytes of the file.</summary>
    public static byte[] ToArray(PadimModel model, Backbone backbone)
    {
        var editor = GraphEditor.Open(File.ReadAllBytes(backbone.File.Path)).WithOutputs(backbone.Identity.Taps);
        var network = editor.ToModel();
        var size = model.Settings.GetPreparedSize();
        var fine = model.Distribution.Grid;
        var d = model.Distribution.Dimensions;
        var builder = new GraphBuilder(network.Graph, editor.OperatorSet);
        network.Graph.Output.Clear();

        var maps = backbone
            .Identity.Taps.Select(
                (tap, l) =>
                    l == 0
                        ? tap
                        : Resize(
                            builder,
                            $"replicated_{l}",
                            tap,
                            [1, 1, .. GetRatio(fine, backbone.MeasureTapGrids(size)[l])],
                            "nearest"
                        )
            )
            .ToArray();
        var all = builder.AddNode("Concat", "concatenated", maps, GraphBuilder.CreateAttribute("axis", 1));
        var embedding = builder.AddNode(
            "Gather",
            "chosen",
            [all, builder.AddConstant("channels", [d], DrawChannels(model.Reduction.TapChannels.Sum(), d))],
            GraphBuilder.CreateAttribute("axis", 1)
        );

        var flat = builder.AddNode(
            "Reshape",
            "flat",
            [embedding, builder.AddConstant("flat_shape", [3], [0L, d, fine.Positions])]
        );
        var centred = builder.AddNode(
            "Sub",
            "centred",
            [flat, builder.AddConstant("mean", [d, fine.Positions], new float[d * fine.Positions])]
        );
        var delta = builder.AddNode("Transpose", "delta", [centred], GraphBuilder.CreateListAttribute("perm", 2, 0, 1));
        var product = builder.AddNode(
            "Mul",
            "product",
            [
                builder.AddNode(
                    "MatMul",
                    "weighted",
                    [
                        delta,
                        builder.AddConstant(
                            "inverse_covariances",
                            [fine.Positions, d, d],
                            GetInverseCovariances(model)
                        ),
                    ]
                ),
                delta,
            ]
        );
        var squares = builder.AddNode(
            "Transpose",
            "squares",
            [
                builder.AddNode(
                    "ReduceSum",
                    "sums",
                    [product, builder.AddConstant("last", [1], [2L])],
                    GraphBuilder.CreateAttribute("keepdims", 0)
                ),
            ],
            GraphBuilder.CreateListAttribute("perm", 1, 0)
        );
        var distances = builder.AddNode(
            "Sqrt",
            "distances",
            [
                builder.AddNode(
                    "Relu",
                    "not_negative",
                    [
                        builder.AddNode(
                            "Reshape",
                            "patches",
                            [squares, builder.AddConstant("patches_shape", [4], [0L, 1, fine.Height, fine.Width])]
                        ),
                    ]
                ),
            ]
        );

        var pixels = Resize(builder, "upsampled", distances, [1, 1, .. GetRatio(size, fine)], "linear");
        var (kernel, side) = CreateGaussian(model.Settings.BlurSigma);
        var padded = builder.AddNode(
            "Pad",
            "reflected",
            [pixels, builder.AddConstant("border", [8], [0L, 0, side / 2, side / 2, 0, 0, side / 2, side / 2])],
            GraphBuilder.CreateAttribute("mode", "reflect")
        );
        builder.AddNode(
            "Conv",
            ScoringGraph.Map,
            [padded, builder.AddConstant("gaussian", [1, 1, side, side], kernel)]
        );
        builder.AddReduction("ReduceMax", ScoringGraph.Score, ScoringGraph.Map, 1, 2, 3);
        builder.AddOutput(ScoringGraph.Map, GraphBuilder.AnyBatch, 1, size.Height, size.Width);
        builder.AddOutput(ScoringGraph.Score, GraphBuilder.AnyBatch);
        return network.ToByteArray();
    }

    private static string Resize(GraphBuilder builder, string name, string input, float[] scales, string mode) =>
        builder.AddNode(
            "Resize",
            name,
            [input, "", builder.AddConstant($"{name}/scales", [4], scales)],
            GraphBuilder.CreateAttribute("mode", mode),
            GraphBuilder.CreateAttribute(
                "coordinate_transformation_mode",
                mode == "nearest" ? "asymmetric" : "half_pixel"
            ),
            GraphBuilder.CreateAttribute("nearest_mode", "floor")
        );

    private static float[] GetRatio(Grid to, Grid from) =>
        [(float)to.Height / from.Height, (float)to.Width / from.Width];

    private static long[] DrawChannels(int all, int d) =>
        [.. new Random(1).GetItems([.. Enumerable.Range(0, all).Select(c => (long)c)], d).Order()];

    /// <summary>Computes F^T F for each position.</summary>
    private static float[] GetInverseCovariances(PadimModel model)
    {
        var distribution = model.Distribution;
        var d = model.Distribution.Dimensions;
        var all = new float[distribution.Grid.Positions * d * d];
        Parallel.For(
            0,
            distribution.Grid.Positions,
            position =>
            {
                var factor = new float[d * d];
                distribution.UnpackWhitening(position, factor);
                for (var i = 0; i < d; i++)
                for (var j = 0; j < d; j++)
                {
                    var sum = 0f;
                    for (var row = 0; row < d; row++)
                        sum += factor[row * d + i] * factor[row * d + j];
                    all[(position * d + i) * d + j] = sum;
                }
            }
        );
        return all;
    }

    private static (float[] Kernel, int Side) CreateGaussian(double sigma)
    {
        var radius = (int)(4 * sigma + 0.5);
        var line = Enumerable
            .Range(-radius, 2 * radius + 1)
            .Select(x => Math.Exp(-x * x / (2 * sigma * sigma)))
            .ToArray();
        var total = line.Sum();
        return ([.. from y in line from x in line select (float)(y * x / (total * total))], line.Length);
    }
}
