using System.Collections.Concurrent;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;
using PaDiM.TestSupport.Parts;
using RgbImage = PaDiM.Imaging.RgbImage;

namespace PaDiM.Engine.Tests.Support;

/// <summary>
/// A model that was fitted to synthetic parts, images to score, and what the kernels of the program say of them.
/// </summary>
internal sealed class ExportCase
{
    /// <summary>
    /// Each model is fitted once: the graph, the device and the export are compared with the same ones, and a fit
    /// without reduction takes seconds.
    /// </summary>
    private static readonly ConcurrentDictionary<(FitSettings, int Images, bool Masked), Lazy<PadimModel>> Models =
        new();

    public ExportCase(FitSettings settings, int images = 20, bool masked = false, Backbone? backbone = null)
    {
        Backbone = backbone ?? Fits.Tiny;
        Model = backbone is null
            ? Models
                .GetOrAdd(
                    (settings, images, masked),
                    _ => new Lazy<PadimModel>(() => Fit(settings, images, masked, Fits.Tiny))
                )
                .Value
            : Fit(settings, images, masked, backbone);
        Scorer = new ModelScorer(Model, Backbone);
    }

    /// <summary>The kinds of models that differ in how they are scored.</summary>
    public static TheoryData<ReductionMethod, int, int, int?, double, bool> Kinds =>
        new()
        {
            // Reduction, training images (few make a low rank), image size, crop, blur, mask.
            { ReductionMethod.SemiOrthogonal, 20, 64, null, 4, false },
            { ReductionMethod.SemiOrthogonal, 5, 64, null, 4, true },
            { ReductionMethod.Random, 20, 64, 48, 2, true },
            { ReductionMethod.Random, 5, 64, 48, 4, false },
            { ReductionMethod.None, 20, 64, null, 0, false },
            { ReductionMethod.None, 4, 50, null, 1, true },
            // A size that no stride divides; a kernel that is wider than the image.
            { ReductionMethod.SemiOrthogonal, 20, 50, null, 16, false },
            { ReductionMethod.Random, 20, 50, 37, 16, true },
        };

    /// <summary>The kinds that differ in the shape of the prepared image.</summary>
    public static TheoryData<AspectMode, int, int, int?, ImageScoreMethod, bool> Shapes =>
        new()
        {
            // Aspect, width, height, crop, image score, mask.
            { AspectMode.Stretch, 80, 48, null, ImageScoreMethod.Max, true },
            { AspectMode.Letterbox, 80, 48, null, ImageScoreMethod.Max, false },
            { AspectMode.Letterbox, 48, 80, null, ImageScoreMethod.Top, true },
            { AspectMode.Letterbox, 75, 50, 37, ImageScoreMethod.Top, false },
            { AspectMode.Crop, 50, 75, 49, ImageScoreMethod.Top, true },
        };

    /// <summary>The kinds that a local average passes through in different ways.</summary>
    public static TheoryData<ReductionMethod, int, int, int?, double, bool> AveragedKinds =>
        new()
        {
            { ReductionMethod.SemiOrthogonal, 20, 64, null, 4, false },
            { ReductionMethod.SemiOrthogonal, 5, 50, 37, 3, true },
            { ReductionMethod.Random, 20, 50, null, 3, true },
            { ReductionMethod.None, 4, 32, null, 0, false },
        };

    public Backbone Backbone { get; }

    public PadimModel Model { get; }

    public ModelScorer Scorer { get; }

    public Grid Prepared => Model.Settings.GetPreparedSize();

    public static FitSettings Settings(ReductionMethod reduction, int size, int? crop, double blur) =>
        new()
        {
            ImageSize = size,
            CropSize = crop,
            Reduction = reduction,
            Dimensions = 24,
            BlurSigma = blur,
        };

    /// <summary>Settings with a local average, and the mean of the highest pixels as score.</summary>
    public static FitSettings AveragedSettings(ReductionMethod reduction, int size, int? crop, double blur) =>
        Settings(reduction, size, crop, blur) with
        {
            LocalAverage = true,
            ImageScore = ImageScoreMethod.Top,
        };

    /// <summary>Images of good and defective parts, of the settings' size or not.</summary>
    public static RgbImage[] Images(int count, int side = 72) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    i % 2 == 0
                        ? SyntheticParts.Defective(300 + i, DefectKind.Scratch, side).Image
                        : SyntheticParts.Good(300 + i, side)
                )
                .Select(part => new RgbImage(part.Width, part.Height, part.Pixels)),
        ];

    /// <summary>Images one behind the other, as the backbone takes them.</summary>
    public float[] Prepare(RgbImage[] images)
    {
        var length = 3 * Prepared.Positions;
        var prepared = new float[images.Length * length];
        for (var i = 0; i < images.Length; i++)
            Scorer.Preprocessing.Prepare(images[i], prepared.AsSpan(i * length, length));
        return prepared;
    }

    /// <summary>Settings of two sides, between which square images have a border, are cut or are stretched.</summary>
    public static FitSettings ShapedSettings(AspectMode aspect, int width, int height, int? crop) =>
        Fits.Settings with
        {
            ImageWidth = width,
            ImageHeight = height,
            Aspect = aspect,
            CropSize = crop,
        };

    /// <summary>The score of a square image.</summary>
    public float GetScore(AnomalyMap map) => Scorer.GetScore(map, Scorer.Preprocessing.CreateFrame(new Grid(1, 1)));

    public ImageFrame FrameOf(RgbImage image) => Scorer.Preprocessing.CreateFrame(new Grid(image.Height, image.Width));

    /// <summary>Maps as the service makes them.</summary>
    public AnomalyMap[] Expected(RgbImage[] images) =>
        [
            .. images.Select(image =>
                Model.Settings.Tiles is not null
                    ? Scorer.Score(image)
                    : Scorer.ToPixels(
                        new RawMap.Patches(
                            Scorer.ComputeDistances(
                                [
                                    .. Scorer
                                        .Embedder.Embed(Prepare([image]), 1, OnThreadPool.Context)
                                        .Select(embedding => embedding.AsTaps()),
                                ],
                                OnThreadPool.Context
                            )[0]
                        ),
                        FrameOf(image),
                        RigidTransform.Identity
                    )
            ),
        ];

    /// <summary>Maps and scores within one part in a thousand.</summary>
    public void AssertEqual(AnomalyMap[] expected, ReadOnlySpan<float> maps, ReadOnlySpan<float> scores)
    {
        var positions = Prepared.Positions;
        Assert.Equal((expected.Length * positions, expected.Length), (maps.Length, scores.Length));
        for (var i = 0; i < expected.Length; i++)
        {
            for (var p = 0; p < positions; p++)
                Assert.Equal(expected[i].Values[p], maps[i * positions + p], 1e-3 * expected[i].Values[p] + 1e-6);
            Assert.Equal(GetScore(expected[i]), scores[i], 1e-3 * expected[i].Max());
        }
    }

    private static PadimModel Fit(FitSettings settings, int images, bool masked, Backbone backbone)
    {
        using var fits = new Fits();
        return fits.Run(
            fits.Parts(0, images),
            settings: settings,
            backbone: backbone,
            ignored: masked ? Mask(settings.GetImageSize()) : null
        );
    }

    private static bool[] Mask(Grid size) =>
        [
            .. from y in Enumerable.Range(0, size.Height)
            from x in Enumerable.Range(0, size.Width)
            select x < size.Width / 3 && y > size.Height / 4,
        ];
}
