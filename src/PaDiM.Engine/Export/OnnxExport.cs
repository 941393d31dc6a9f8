using System.Globalization;
using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Export;

/// <summary>
/// Exports a model as one self-contained ONNX file: normalisation, backbone, scoring and statistics. The input is
/// <c>image</c> float32 (n, 3, H, W), RGB in [0, 1], at the prepared size; the outputs are <c>anomaly_map</c> float32
/// (n, 1, H, W) and <c>score</c> float32 (n). The file's metadata tells a caller how to use it. The same model, notes
/// and backbone give the same bytes.
/// </summary>
public sealed class OnnxExport
{
    /// <summary>The value of the metadata key <c>padim.format</c>.</summary>
    public const string Format = "padim-onnx/1";

    private const string InputName = "image";

    /// <summary>The limit of a protobuf message, and so of an ONNX file.</summary>
    private const long MaxFileBytes = int.MaxValue;

    /// <summary>The first version of the format in which weights need not be inputs too.</summary>
    private const int MinIrVersion = 4;

    private readonly StreamedGraph _file;

    private OnnxExport(StreamedGraph file) => _file = file;

    /// <summary>Gets the length of the file in bytes.</summary>
    public long Length => _file.Length;

    /// <summary>
    /// Creates the file piece by piece; a piece is valid until the next one is requested. Uses about as much memory as
    /// the backbone, and never holds the whole file.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> GetPieces() => _file.GetPieces();

    /// <summary>Opens the file as a stream that creates it while it is read.</summary>
    public Stream OpenRead() => new PieceStream(Length, GetPieces);

    /// <summary>
    /// Checks whether an ONNX file can contain a model, before anything is created. Returns a sentence about the reason
    /// why not; null if it can.
    /// </summary>
    internal static string? Validate(PadimModel model, Backbone backbone)
    {
        if (model.Settings.Alignment != AlignmentMethod.None)
            return "The model aligns each image to a template, which an ONNX graph cannot express."
                + " Export it as safetensors, or fit without alignment.";
        var bytes =
            ScoringStatistics.CountBytes(model)
            + ScoringGraph.CountTileBytes(model, backbone.Taps.Count)
            + new FileInfo(backbone.File.Path).Length
            + (1 << 20);
        return bytes > MaxFileBytes
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"The ONNX file would have {bytes / (double)(1 << 30):f1} GiB; the limit is 2 GiB. The model has"
                    + $" {model.Distribution.Grid.Height} x {model.Distribution.Grid.Width} positions of"
                    + $" {model.Distribution.Dimensions} x {model.Distribution.Dimensions} values. Export it as"
                    + $" safetensors, or fit with fewer dimensions or a smaller image size."
            )
            : null;
    }

    /// <summary>
    /// Prepares an export: reads the backbone's file again, and runs the network once to measure its grids.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that the model was fitted with, byte for byte.</param>
    /// <param name="notes">More metadata for the file.</param>
    /// <exception cref="UserFaultException">An ONNX file cannot contain the model.</exception>
    /// <exception cref="InvalidDataException">The model was fitted with another network, or the file of the network has
    /// changed since it was opened.</exception>
    public static OnnxExport Create(PadimModel model, Backbone backbone, ExportNotes notes)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException(
                $"The model was fitted with another file, other taps or another normalisation of the backbone"
                    + $" '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256}). Restore that backbone."
            );
        if (Validate(model, backbone) is { } fault)
            throw new UserFaultException(ProblemCodes.ExportUnsupported, fault);
        var network = ReadNetwork(backbone);
        var opset = network.OpsetImport.First(import => import.Domain is "" or "ai.onnx").Version;
        if (opset < GraphBuilder.MinOpset)
            throw new UserFaultException(
                ProblemCodes.ExportUnsupported,
                $"The backbone '{backbone.Identity.Name}' uses ONNX operators of version {opset};"
                    + $" an export needs {GraphBuilder.MinOpset} or later."
            );

        var statistics = ScoringStatistics.CreateWithProjections(model);
        var names = statistics
            .Select(tensor => tensor.Name)
            .Append(InputName)
            .Append(ScoringGraph.Counts)
            .Append(ScoringGraph.Map)
            .Append(ScoringGraph.Score)
            .ToHashSet(StringComparer.Ordinal);
        bool IsReserved(string name) =>
            names.Contains(name) || name.StartsWith(ScoringGraph.Prefix, StringComparison.Ordinal);
        var graph = network.Graph;
        BackboneGraph.RenameReserved(graph, IsReserved);
        var builder = new GraphBuilder(graph, opset);
        PrependPreparation(builder, opset, backbone, model.Settings);
        graph.Output.Clear();
        new ScoringGraph(model, backbone.MeasureTapGrids(model.Settings.GetInputSize())).AppendTo(
            builder,
            [.. backbone.Identity.Taps.Select(tap => BackboneGraph.GetNewName(tap, IsReserved))]
        );

        network.IrVersion = Math.Max(network.IrVersion, MinIrVersion);
        network.ProducerName = "PaDiM.Service";
        network.MetadataProps.Clear();
        network.MetadataProps.Add(
            CreateMetadata(model, notes)
                .Select(entry => new StringStringEntryProto { Key = $"padim.{entry.Key}", Value = entry.Value })
        );
        network.Graph = null;
        return new OnnxExport(new StreamedGraph(network, graph, statistics));
    }

    private static ModelProto ReadNetwork(Backbone backbone) =>
        backbone.ReadGraph()?.ToModel()
        ?? throw new InvalidDataException(
            $"The file of the backbone '{backbone.Identity.Name}' has changed since it was opened. Restore it."
        );

    /// <summary>
    /// Adds the normalisation before the network, and the cut into tiles, and makes the result the network's input.
    /// </summary>
    private static void PrependPreparation(GraphBuilder builder, long opset, Backbone backbone, FitSettings settings)
    {
        var size = settings.GetPreparedSize();
        var graph = builder.Graph;
        var normalisation = backbone.Manifest.Normalisation;
        var weights = graph.Initializer.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        var input = graph.Input.Single(input => !weights.Contains(input.Name)).Name;
        // A caller could replace weights that are inputs too, and ONNX Runtime could not fold them.
        graph.Input.Clear();
        builder.AddInput(InputName, GraphBuilder.AnyBatch, 3, size.Height, size.Width);
        var own = new GraphBuilder(new GraphProto(), opset);
        var ordered = normalisation.ChannelOrder == ChannelOrder.Rgb ? InputName : AddChannelOrder();
        var centred = own.AddNode(
            "Sub",
            $"{ScoringGraph.Prefix}centred",
            [ordered, AddConstant("pixel_mean", normalisation.Mean)]
        );
        string[] factors = [centred, AddConstant("pixel_std", normalisation.Std)];
        if (settings.CreateTiles() is { } tiles)
            AddTiles(own, own.AddNode("Div", $"{ScoringGraph.Prefix}normalised", factors), tiles, input);
        else
            own.AddNode("Div", input, factors);
        graph.Initializer.AddRange(own.Graph.Initializer);
        for (var i = 0; i < own.Graph.Node.Count; i++)
            graph.Node.Insert(i, own.Graph.Node[i]);

        string AddChannelOrder() =>
            own.AddNode(
                "Gather",
                $"{ScoringGraph.Prefix}ordered",
                [InputName, builder.AddConstant($"{ScoringGraph.Prefix}channel_order", [3], [2L, 1, 0])],
                GraphBuilder.CreateAttribute("axis", 1)
            );

        string AddConstant(string name, float[] values) =>
            builder.AddConstant(
                $"{ScoringGraph.Prefix}{name}",
                [1, 3, 1, 1],
                [.. values.Select(value => value / normalisation.Range)]
            );
    }

    /// <summary>
    /// Adds the cut of images (n, 3, H, W) into tiles (tiles n, 3, size, size): the first tile of all images, then the
    /// second one.
    /// </summary>
    private static void AddTiles(GraphBuilder builder, string images, TileGrid tiles, string output)
    {
        const int RowAxis = 2,
            ColumnAxis = 3;
        var (rows, columns) = (tiles.Shape.Height, tiles.Shape.Width);
        var cut = new List<string>(tiles.Count);
        for (var row = 0; row < rows; row++)
        {
            var y = tiles[row * columns].Y;
            var band = builder.AddSlice($"{ScoringGraph.Prefix}band_{row}", images, RowAxis, y, y + tiles.Size);
            for (var column = 0; column < columns; column++)
            {
                var x = tiles[column].X;
                var name = $"{ScoringGraph.Prefix}tile_{row}_{column}";
                cut.Add(builder.AddSlice(name, band, ColumnAxis, x, x + tiles.Size));
            }
        }
        builder.AddNode("Concat", output, cut, GraphBuilder.CreateAttribute("axis", 0));
    }

    private static Dictionary<string, string> CreateMetadata(PadimModel model, ExportNotes notes)
    {
        var settings = model.Settings;
        var size = model.Settings.GetPreparedSize();
        var about = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["threshold"] = notes.Threshold.ToString("R", CultureInfo.InvariantCulture),
            ["backbone"] = model.Backbone.Name,
            ["backbone_sha256"] = model.Backbone.Sha256,
            ["input"] =
                $"RGB in [0, 1], float32 (n, 3, {ToInvariant(size.Height)}, {ToInvariant(size.Width)});"
                + " orientation applied, grey in all three channels, transparency on black",
            ["image_score"] =
                settings.ImageScore == ImageScoreMethod.Top
                    ? "top: the mean of the highest 1 % of the pixels that count"
                    : "max: the largest pixel",
            ["decision"] = "anomalous where score >= threshold",
        };
        if (settings.Tiles is { } tiles)
            about["tiles"] =
                $"{ToInvariant(tiles.Size)} x {ToInvariant(tiles.Size)} pixels over {ToInvariant(tiles.Overlap)};"
                + " the graph takes the whole image and cuts it up itself";
        if (settings.Region is { } region)
        {
            about["region"] = region.ToString();
            about["cut"] =
                "before resizing, the box of x,y,width,height in fractions of the upright image: columns"
                + " round(x * width of the image) up to round((x + width) * width of the image), halves to even,"
                + " at least one; rows alike. The anomaly map is of the box";
        }
        AddResize(about, settings);
        if (settings.SignificantBits is { } bits)
        {
            about["significant_bits"] = ToInvariant(bits);
            about["depth"] =
                "samples of more than 8 bits become value x 255 / (2^significant_bits - 1), rounded, before resizing";
        }
        if (settings.CropSize is { } crop)
        {
            var frame = settings.CreateFrame(settings.GetImageSize());
            about["crop_size"] = ToInvariant(crop);
            about["crop"] =
                frame.Rows.Margin == frame.Columns.Margin
                    ? $"after resizing, rows and columns {ToRange(frame.Rows.Margin, crop)}"
                    : $"after resizing, rows {ToRange(frame.Rows.Margin, crop)}"
                        + $" and columns {ToRange(frame.Columns.Margin, crop)}";
        }
        if (notes.Category is { } category)
            about["category"] = category;
        if (notes.ModelVersion is { } version)
            about["model_version"] = ToInvariant(version);
        return about;
    }

    /// <summary>Says how an image becomes one of the image size.</summary>
    private static void AddResize(Dictionary<string, string> about, FitSettings settings)
    {
        const string filter =
            "bilinear with antialiasing: a triangle as wide as the scale (Pillow's BILINEAR); pixels replicated at no"
            + " border";
        var size = settings.GetImageSize();
        var isSquare = settings.ImageWidth is null;
        if (isSquare)
            about["image_size"] = ToInvariant(size.Width);
        else
        {
            about["image_width"] = ToInvariant(size.Width);
            about["image_height"] = ToInvariant(size.Height);
        }
        var sides = isSquare ? "image_size x image_size" : "image_width x image_height";
        if (settings.Aspect != AspectMode.Stretch)
            about["aspect"] = settings.Aspect == AspectMode.Letterbox ? "letterbox" : "crop";
        about["resize"] = settings.Aspect switch
        {
            AspectMode.Letterbox =>
                $"to fit {sides}: the side that is too short is rounded to even, {filter}; then centred (the"
                    + " first half of the border rounded down), and filled with the nearest pixel",
            AspectMode.Crop =>
                $"the largest centred part of the shape of {sides} (Pillow's box, not rounded) to {sides}, {filter}",
            _ => $"to {sides}, aspect not kept, {filter}",
        };
        if (settings.Aspect == AspectMode.Letterbox)
            about[ScoringGraph.Counts] =
                "float32 (n, 1, H, W): 1 where the prepared image shows the photograph, 0 on its border";
        if (DecodeOptions.For(settings).MinimumSize is not { } least)
            return;
        // For a region to be as large as the image size asks, the photograph must be larger by other factors each way.
        var isOneSide = isSquare && settings.Region is null;
        about["jpeg"] =
            $"decoded at the smallest of 1/2, 1/4 and 1/8 that leaves {(least.IsOneEnough ? "one side" : "both sides")}"
            + $" at least {(isOneSide ? "jpeg_minimum_side pixels" : "jpeg_minimum_width x jpeg_minimum_height")}"
            + " (DCT scaling; Pillow's draft)";
        if (isOneSide)
            about["jpeg_minimum_side"] = ToInvariant(least.Width);
        else
        {
            about["jpeg_minimum_width"] = ToInvariant(least.Width);
            about["jpeg_minimum_height"] = ToInvariant(least.Height);
        }
    }

    private static string ToRange(int first, int count) => $"{ToInvariant(first)} to {ToInvariant(first + count - 1)}";

    private static string ToInvariant(int value) => value.ToString(CultureInfo.InvariantCulture);
}
