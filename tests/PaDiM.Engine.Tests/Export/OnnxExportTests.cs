using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Alignment;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Export;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Preprocessing;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Export;

public sealed class OnnxExportTests
{
    private static readonly ExportNotes Notes = new(12.5, "bottle", 7);

    [Theory]
    [MemberData(nameof(ExportCase.Kinds), MemberType = typeof(ExportCase))]
    public void The_file_alone_scores_as_the_program_does(
        ReductionMethod reduction,
        int images,
        int size,
        int? crop,
        double blur,
        bool masked
    )
    {
        var made = new ExportCase(ExportCase.Settings(reduction, size, crop, blur), images, masked);
        AssertScoresAlike(made);
    }

    [Theory]
    [MemberData(nameof(ExportCase.AveragedKinds), MemberType = typeof(ExportCase))]
    public void With_a_local_average_and_the_highest_pixels_the_file_scores_as_the_program_does(
        ReductionMethod reduction,
        int images,
        int size,
        int? crop,
        double blur,
        bool masked
    )
    {
        var made = new ExportCase(ExportCase.AveragedSettings(reduction, size, crop, blur), images, masked);
        AssertScoresAlike(made);
    }

    [Theory]
    [InlineData(ReductionMethod.SemiOrthogonal, false)]
    [InlineData(ReductionMethod.Random, true)]
    [InlineData(ReductionMethod.None, false)]
    public void A_file_whose_positions_share_a_Gaussian_has_one_factor(ReductionMethod reduction, bool masked)
    {
        var made = new ExportCase(
            ExportCase.AveragedSettings(reduction, 50, null, 3) with
            {
                Positions = PatchPositions.Shared,
            },
            3,
            masked
        );
        AssertScoresAlike(made);
        var d = made.Model.Distribution.Dimensions;
        Assert.InRange(
            OnnxExport.Create(made.Model, made.Backbone, Notes).Length,
            sizeof(float) * d * d,
            sizeof(float) * d * d + new FileInfo(made.Backbone.File.Path).Length + 500_000
        );
    }

    [Theory]
    [InlineData(ReductionMethod.SemiOrthogonal, 20, 64, 32, true)]
    [InlineData(ReductionMethod.SemiOrthogonal, 4, 48, 0, false)]
    [InlineData(ReductionMethod.Random, 4, 64, 16, true)]
    [InlineData(ReductionMethod.None, 4, 96, 0, false)]
    public void The_file_cuts_images_into_tiles_as_the_program_does(
        ReductionMethod reduction,
        int images,
        int size,
        int overlap,
        bool averaged
    )
    {
        var settings = ExportCase.Settings(reduction, 96, null, 2) with
        {
            LocalAverage = averaged,
            Tiles = new TileSettings(size, overlap),
        };
        var made = new ExportCase(settings, images, masked: averaged);
        AssertScoresAlike(made);
    }

    /// <summary>
    /// Names that the export wants for itself, a batch of one, a size that is written down. Taps of fewer channels than
    /// dimensions, which a local average filters before their projection.
    /// </summary>
    [Theory, InlineData(false), InlineData(true)]
    public void A_backbone_of_any_names_and_of_a_fixed_size_is_exported(bool averaged)
    {
        var graph = new OnnxGraph()
            .Input("image", 1, 3, 64, 64)
            .Conv("image", "mean", 3, 6, 3, 4)
            .Relu("mean", "score")
            .Conv("score", "padim/delta", 6, 8, 3, 2)
            .Relu("padim/delta", "whitening")
            .Output("score")
            .Output("whitening");
        using var folder = new BackboneFolder();
        var made = new ExportCase(
            Fits.Settings with
            {
                Dimensions = 10,
                LocalAverage = averaged,
            },
            backbone: folder.Put("own", graph).Registry.Open("own")
        );
        Assert.Equal(["score", "whitening"], made.Backbone.Identity.Taps);
        AssertScoresAlike(made);
    }

    [Fact]
    public void The_order_of_channels_and_their_range_are_part_of_the_file()
    {
        using var folder = new BackboneFolder();
        folder.Put(
            "own",
            OnnxGraph.Classifier(-1, 3, -1, -1),
            """{ "normalisation": { "mean": [104, 117, 123], "std": [50, 60, 70], "range": 255, "channelOrder": "bgr" } }"""
        );
        var made = new ExportCase(Fits.Settings, backbone: folder.Registry.Open("own"));
        AssertScoresAlike(made);
    }

    [Theory]
    [InlineData(ReductionMethod.SemiOrthogonal)]
    [InlineData(ReductionMethod.Random)]
    [InlineData(ReductionMethod.None)]
    public void A_vision_transformer_is_exported_with_its_tokens_as_maps(ReductionMethod reduction)
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", TransformerFiles.Read("free")).Registry.Open("own");
        var made = new ExportCase(ExportCase.Settings(reduction, 70, null, 2), backbone: backbone);
        Assert.Equal(new Grid(5, 5), made.Model.Distribution.Grid);
        AssertScoresAlike(made);
    }

    [Fact]
    public void The_metadata_says_what_a_caller_must_know()
    {
        var made = new ExportCase(ExportCase.Settings(ReductionMethod.Random, 64, 48, 4));
        using var session = Open(Bytes(OnnxExport.Create(made.Model, made.Backbone, Notes)));
        var about = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(
            ("padim-onnx/1", "bottle", "7", 12.5, "tiny", made.Backbone.Identity.Sha256, "64", "48"),
            (
                about["padim.format"],
                about["padim.category"],
                about["padim.model_version"],
                double.Parse(about["padim.threshold"], CultureInfo.InvariantCulture),
                about["padim.backbone"],
                about["padim.backbone_sha256"],
                about["padim.image_size"],
                about["padim.crop_size"]
            )
        );
        Assert.Contains("8 to 55", about["padim.crop"], StringComparison.Ordinal);
        Assert.Contains("antialias", about["padim.resize"], StringComparison.Ordinal);
        Assert.Equal("128", about["padim.jpeg_minimum_side"]);
        Assert.DoesNotContain("padim.significant_bits", about.Keys);
        Assert.StartsWith("max", about["padim.image_score"], StringComparison.Ordinal);
        Assert.Equal(["image"], session.InputNames);
        Assert.Equal(["anomaly_map", "score"], session.OutputNames);
        Assert.Equal([-1, 3, 48, 48], session.InputMetadata["image"].Dimensions);
        Assert.Equal([-1, 1, 48, 48], session.OutputMetadata["anomaly_map"].Dimensions);
        using var bare = Open(Bytes(OnnxExport.Create(made.Model, made.Backbone, new ExportNotes(1))));
        Assert.DoesNotContain("padim.category", bare.ModelMetadata.CustomMetadataMap.Keys);
        var deep = made.Model with { Settings = made.Model.Settings with { SignificantBits = 12 } };
        using var declared = Open(Bytes(OnnxExport.Create(deep, made.Backbone, Notes)));
        Assert.Equal("12", declared.ModelMetadata.CustomMetadataMap["padim.significant_bits"]);
    }

    [Fact]
    public void Its_length_is_known_its_bytes_are_always_the_same_and_its_pieces_are_small()
    {
        var made = new ExportCase(ExportCase.Settings(ReductionMethod.None, 64, null, 0));
        var export = OnnxExport.Create(made.Model, made.Backbone, Notes);
        var bytes = Bytes(export);
        Assert.Equal(export.Length, bytes.Length);
        Assert.Equal(bytes, Bytes(OnnxExport.Create(made.Model, made.Backbone, Notes)));
        Assert.True(bytes.Length > 4 << 20);
        // The first one holds the backbone.
        Assert.All(export.GetPieces().Skip(1), piece => Assert.InRange(piece.Length, 1, 1 << 20));
    }

    [Fact]
    public void A_model_that_aligns_is_refused()
    {
        var model = MadeUp(new Grid(16, 16), 24) with
        {
            Settings = Fits.Settings with { Alignment = AlignmentMethod.Rigid },
        };
        Assert.Contains("align", OnnxExport.Validate(model, Fits.Tiny), StringComparison.Ordinal);
        Assert.Contains(
            "align",
            Assert.Throws<UserFaultException>(() => OnnxExport.Create(model, Fits.Tiny, Notes)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_file_that_would_be_too_large_is_refused_before_it_is_made()
    {
        Assert.Null(OnnxExport.Validate(MadeUp(new Grid(64, 64), 100), Fits.Tiny));
        var obstacle = OnnxExport.Validate(MadeUp(new Grid(128, 128), 200), Fits.Tiny);
        Assert.Contains("2.5 GiB", obstacle, StringComparison.Ordinal);
        Assert.Contains("128 x 128", obstacle, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_backbone_and_a_file_that_has_changed_are_refused()
    {
        using var folder = new BackboneFolder();
        var own = folder.Put("own", OnnxGraph.Classifier(-1, 3, -1, -1)).Registry.Open("own");
        var made = new ExportCase(Fits.Settings, backbone: own);
        Assert.Throws<InvalidDataException>(() => OnnxExport.Create(made.Model, Fits.Tiny, Notes));
        folder.Put("own", OnnxGraph.Classifier(1, 3, -1, -1));
        Assert.Contains(
            "changed",
            Assert.Throws<InvalidDataException>(() => OnnxExport.Create(made.Model, own, Notes)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(ExportCase.Shapes), MemberType = typeof(ExportCase))]
    public void It_scores_every_shape(
        AspectMode aspect,
        int width,
        int height,
        int? crop,
        ImageScoreMethod score,
        bool masked
    )
    {
        var made = new ExportCase(
            ExportCase.ShapedSettings(aspect, width, height, crop) with
            {
                ImageScore = score,
            },
            masked: masked
        );
        AssertScoresAlike(made);
    }

    /// <summary>The caller cuts the box out; the file scores it.</summary>
    [Theory]
    [InlineData(AspectMode.Stretch, false)]
    [InlineData(AspectMode.Stretch, true)]
    [InlineData(AspectMode.Letterbox, false)]
    public void It_scores_a_region(AspectMode aspect, bool isTiled)
    {
        var region = new ImageRegion(0.25, 0.125, 0.5, 0.5);
        var made = new ExportCase(
            ExportCase.ShapedSettings(aspect, 96, 64, null) with
            {
                Region = region,
                Tiles = isTiled ? new TileSettings(64, 32) : null,
            }
        );
        AssertScoresAlike(made);
        using var session = Open(Bytes(OnnxExport.Create(made.Model, made.Backbone, Notes)));
        var about = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(region, ImageRegion.TryParse(about["padim.region"]));
        Assert.Equal(("384", "256"), (about["padim.jpeg_minimum_width"], about["padim.jpeg_minimum_height"]));
    }

    private static void AssertScoresAlike(ExportCase made)
    {
        using var session = Open(Bytes(OnnxExport.Create(made.Model, made.Backbone, Notes)));
        foreach (var batch in new[] { 1, 3 })
        {
            var parts = ExportCase.Images(batch);
            var size = made.Prepared;
            var normalisation = made.Backbone.Manifest.Normalisation;
            var pixels = made.Prepare(parts);
            for (var i = 0; i < pixels.Length; i++)
                pixels[i] =
                    (pixels[i] * normalisation.Std[i / size.Positions % 3] + normalisation.Mean[i / size.Positions % 3])
                    / normalisation.Range;
            if (normalisation.ChannelOrder == ChannelOrder.Bgr)
                pixels = ReversePlanes(pixels, size.Positions);
            Assert.All(pixels, value => Assert.InRange(value, -1e-5f, 1 + 1e-5f));
            using var image = OrtValue.CreateTensorValueFromMemory(pixels, [batch, 3, size.Height, size.Width]);
            using var counts = OrtValue.CreateTensorValueFromMemory(
                Enumerable.Repeat(CreateCounts(made), batch).SelectMany(values => values).ToArray(),
                [batch, 1, size.Height, size.Width]
            );
            using var run = new RunOptions();
            using var outputs =
                made.Model.Settings.Aspect == AspectMode.Letterbox
                    ? session.Run(run, ["image", "counts"], [image, counts], ["anomaly_map", "score"])
                    : session.Run(run, ["image"], [image], ["anomaly_map", "score"]);
            Assert.Equal([batch, 1, size.Height, size.Width], outputs[0].GetTensorTypeAndShape().Shape);
            Assert.Equal([batch], outputs[1].GetTensorTypeAndShape().Shape);
            made.AssertEqual(
                made.Expected(parts),
                outputs[0].GetTensorDataAsSpan<float>(),
                outputs[1].GetTensorDataAsSpan<float>()
            );
        }
    }

    /// <summary>1 where the prepared image shows a square image.</summary>
    private static float[] CreateCounts(ExportCase made)
    {
        var frame = made.Scorer.Preprocessing.CreateFrame(new Grid(1, 1));
        return
        [
            .. Enumerable
                .Range(0, made.Prepared.Positions)
                .Select(i => frame.IsContent(i / made.Prepared.Width, i % made.Prepared.Width) ? 1f : 0),
        ];
    }

    private static float[] ReversePlanes(float[] pixels, int positions) =>
        [
            .. pixels
                .Chunk(3 * positions)
                .SelectMany(image => image.Chunk(positions).Reverse())
                .SelectMany(plane => plane),
        ];

    private static byte[] Bytes(OnnxExport export)
    {
        var file = new MemoryStream();
        foreach (var piece in export.GetPieces())
            file.Write(piece.Span);
        return file.ToArray();
    }

    private static InferenceSession Open(byte[] onnx)
    {
        using var options = OnnxRuntimeLibrary.CreateOptions();
        options.IntraOpNumThreads = 2;
        return OnnxRuntimeLibrary.OpenSession(onnx, options);
    }

    /// <summary>A model of any size that takes hardly any memory.</summary>
    private static PadimModel MadeUp(Grid grid, int d)
    {
        var distribution = new LowRankDistribution(
            grid,
            d,
            1,
            new float[grid.Positions * d],
            new float[grid.Positions * d],
            new float[grid.Positions],
            Enumerable.Repeat(1f, grid.Positions).ToArray()
        );
        var reduction = ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, Fits.Tiny.TapChannels, d, 1);
        return new PadimModel(
            Fits.Settings,
            Fits.Tiny.Identity,
            reduction,
            distribution,
            new ThresholdCalibration([1, 2]),
            ["a", "b"]
        );
    }
}
