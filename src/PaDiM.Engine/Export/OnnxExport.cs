using System.Globalization;
using System.Security.Cryptography;
using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;

namespace PaDiM.Engine.Export;

/// <summary>
/// A model as one ONNX file that needs nothing else: normalisation, backbone, scoring and statistics. Input
/// <c>image</c> float32 (n, 3, H, W), RGB in [0, 1], at the prepared size; outputs <c>anomaly_map</c> float32 (n, 1, H,
/// W) and <c>score</c> float32 (n); what a caller must know of it stands in the file's metadata. The same model, notes
/// and backbone give the same bytes.
/// </summary>
public sealed class OnnxExport
{
    /// <summary>What stands under the metadata key <c>padim.format</c>.</summary>
    public const string Format = "padim-onnx/1";

    private const string Image = "image";

    /// <summary>A protobuf message, and so an ONNX file, ends here.</summary>
    private const long LargestFile = int.MaxValue;

    /// <summary>From here on weights need not be inputs at the same time.</summary>
    private const int OldestIrVersion = 4;

    private readonly StreamedGraph _file;

    private OnnxExport(StreamedGraph file) => _file = file;

    /// <summary>Bytes of the file.</summary>
    public long Length => _file.Length;

    /// <summary>
    /// The file, piece by piece; a piece is valid until the next one is asked for. About as much memory as the backbone
    /// takes is held, never the file.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> Pieces() => _file.Pieces();

    /// <summary>
    /// A sentence about a model that no ONNX file can hold, told before anything is made; null when one can.
    /// </summary>
    internal static string? FindObstacle(PadimModel model, Backbone backbone)
    {
        if (model.Settings.Alignment != AlignmentMethod.None)
            return "The model aligns each image to a template, which an ONNX graph cannot express. Export it as safetensors, or fit without alignment.";
        var bytes = ScoringStatistics.Bytes(model) + new FileInfo(backbone.File.Path).Length + (1 << 20);
        return bytes > LargestFile
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"The ONNX file would have {bytes / (double)(1 << 30):f1} GiB, of which an ONNX file holds at most 2: {model.Distribution.Grid.Height} x {model.Distribution.Grid.Width} positions of {model.Distribution.Dimensions} x {model.Distribution.Dimensions} values. Export it as safetensors, or fit with fewer dimensions or a smaller image size."
            )
            : null;
    }

    /// <summary>
    /// Prepares an export: the backbone's file is read once more, and the network runs once to show its grids.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that it was fitted with, byte for byte.</param>
    /// <param name="notes">What else the file says.</param>
    /// <exception cref="ExportException">No ONNX file can hold the model.</exception>
    /// <exception cref="InvalidDataException">It is another network, or its file has changed since it was
    /// opened.</exception>
    public static OnnxExport Of(PadimModel model, Backbone backbone, ExportNotes notes)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException(
                $"The model was fitted with another file, other taps or another normalisation of the backbone '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256}); put those back."
            );
        if (FindObstacle(model, backbone) is { } obstacle)
            throw new ExportException(obstacle);
        var network = Read(backbone);
        var opset = network.OpsetImport.First(import => import.Domain is "" or "ai.onnx").Version;
        if (opset < GraphBuilder.OldestOpset)
            throw new ExportException(
                $"The backbone '{backbone.Identity.Name}' uses ONNX operators of version {opset}; an export needs {GraphBuilder.OldestOpset} or later."
            );

        var statistics = ScoringStatistics.WithProjections(model);
        var names = statistics
            .Select(tensor => tensor.Name)
            .Append(Image)
            .Append(ScoringGraph.Map)
            .Append(ScoringGraph.Score)
            .ToHashSet(StringComparer.Ordinal);
        bool Reserved(string name) =>
            names.Contains(name) || name.StartsWith(ScoringGraph.Prefix, StringComparison.Ordinal);
        var graph = network.Graph;
        BackboneGraph.Rename(graph, Reserved);
        var builder = new GraphBuilder(graph, opset);
        Normalise(builder, backbone, model.Settings.GetPreparedSize());
        graph.Output.Clear();
        new ScoringGraph(model, backbone.GridsAt(model.Settings.GetPreparedSize())).AppendTo(
            builder,
            [.. backbone.Identity.Taps.Select(tap => BackboneGraph.NewName(tap, Reserved))]
        );

        network.IrVersion = Math.Max(network.IrVersion, OldestIrVersion);
        network.ProducerName = "PaDiM.Service";
        network.MetadataProps.Clear();
        network.MetadataProps.Add(
            Describe(model, notes)
                .Select(entry => new StringStringEntryProto { Key = $"padim.{entry.Key}", Value = entry.Value })
        );
        network.Graph = null;
        return new OnnxExport(new StreamedGraph(network, graph, statistics));
    }

    private static ModelProto Read(Backbone backbone)
    {
        var bytes = File.ReadAllBytes(backbone.File.Path);
        return Convert.ToHexStringLower(SHA256.HashData(bytes)) == backbone.Identity.Sha256
            ? GraphEditor.Open(bytes).WithOutputs(backbone.Identity.Taps).ToModel()
            : throw new InvalidDataException(
                $"The file of the backbone '{backbone.Identity.Name}' has changed since it was opened; put it back."
            );
    }

    /// <summary>Puts the normalisation before the network, whose input becomes its result.</summary>
    private static void Normalise(GraphBuilder builder, Backbone backbone, Grid size)
    {
        var graph = builder.Graph;
        var normalisation = backbone.Manifest.Normalisation;
        var weights = graph.Initializer.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        var input = graph.Input.Single(input => !weights.Contains(input.Name)).Name;
        // Weights that are inputs too could be replaced by a caller, and are not folded.
        graph.Input.Clear();
        builder.Input(Image, GraphBuilder.Batch, 3, size.Height, size.Width);
        var own = new GraphBuilder(new GraphProto(), 7);
        var centred = own.Node(
            "Sub",
            $"{ScoringGraph.Prefix}centred",
            [Image, builder.Constant($"{ScoringGraph.Prefix}pixel_mean", [1, 3, 1, 1], normalisation.Mean)]
        );
        own.Node(
            "Div",
            input,
            [centred, builder.Constant($"{ScoringGraph.Prefix}pixel_std", [1, 3, 1, 1], normalisation.Std)]
        );
        for (var i = 0; i < own.Graph.Node.Count; i++)
            graph.Node.Insert(i, own.Graph.Node[i]);
    }

    private static Dictionary<string, string> Describe(PadimModel model, ExportNotes notes)
    {
        var settings = model.Settings;
        var size = model.Settings.GetPreparedSize();
        var about = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["threshold"] = notes.Threshold.ToString("R", CultureInfo.InvariantCulture),
            ["backbone"] = model.Backbone.Name,
            ["backbone_sha256"] = model.Backbone.Sha256,
            ["image_size"] = Whole(settings.ImageSize),
            ["input"] =
                $"RGB in [0, 1], float32 (n, 3, {Whole(size.Height)}, {Whole(size.Width)}); orientation applied, grey in all three channels, transparency on black",
            ["resize"] =
                "to image_size x image_size, aspect not kept, bilinear with antialiasing: a triangle as wide as the scale (Pillow's BILINEAR); pixels replicated at no border",
            ["decision"] = "anomalous where score >= threshold",
        };
        if (settings.CropSize is { } crop)
        {
            about["crop_size"] = Whole(crop);
            about["crop"] =
                $"after resizing, rows and columns {Whole(settings.GetCropMargin())} to {Whole(settings.GetCropMargin() + crop - 1)}";
        }
        if (notes.Category is { } category)
            about["category"] = category;
        if (notes.ModelVersion is { } version)
            about["model_version"] = Whole(version);
        return about;
    }

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
