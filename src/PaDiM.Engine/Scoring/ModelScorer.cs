using System.Diagnostics.CodeAnalysis;
using PaDiM.Core;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Scores images with one model: computes the embedding's distance from the distribution, upsamples and smooths it, and
/// takes the maximum or the mean of the highest pixels. Kernels do this on the host, or an owned <see cref="DeviceScorer"/> on the runtime's device.
/// Thread-safe.
/// </summary>
public sealed class ModelScorer : IDisposable
{
    private readonly DeviceScorer? _device;
    private readonly CountedAreas _counted;
    private readonly PixelMapper _mapper;

    /// <summary>
    /// Creates a scorer that computes distances on the host, as a fit does. It needs no disposal.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that the model was fitted with, byte for byte.</param>
    /// <exception cref="InvalidDataException">The model was fitted with another network.</exception>
    public ModelScorer(PadimModel model, Backbone backbone)
        : this(model, backbone, onDevice: false) { }

    private ModelScorer(PadimModel model, Backbone backbone, bool onDevice)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException(
                $"The model was fitted with another file, other taps or another normalisation of the backbone"
                    + $" '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256}). Restore that backbone, or fit the"
                    + " model again."
            );
        Model = model;
        Embedder = new Embedder(backbone, model.Settings, model.Reduction, model.Template);
        _mapper = new PixelMapper(model.Distribution.Grid, model.Settings.GetPreparedSize(), model.Settings.BlurSigma);
        _counted = new CountedAreas(model.Settings, model.Ignored, model.Distribution.Grid);
        // The distances of tiles are computed on the host: on a device, the image would have to be there at once.
        _device = onDevice && Embedder.Tiles is null ? new DeviceScorer(model, backbone) : null;
    }

    /// <summary>
    /// Creates a scorer that scores where the backbone runs: for a runtime on CUDA it copies the statistics to the
    /// device.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that the model was fitted with, byte for byte; must outlive the
    /// scorer.</param>
    /// <exception cref="InvalidDataException">The model was fitted with another network, or its statistics are too
    /// large for one tensor.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The device is out of memory.</exception>
    public static ModelScorer Open(PadimModel model, Backbone backbone) =>
        new(model, backbone, backbone.Runtime.ScoresOnDevice);

    /// <summary>Gets the model.</summary>
    public PadimModel Model { get; }

    /// <summary>Gets the path from images to embeddings.</summary>
    public Embedder Embedder { get; }

    /// <summary>Gets the preprocessing of images, and the way back from maps to the images' own sizes.</summary>
    public Preprocessor Preprocessing => Embedder.Preprocessing;

    /// <summary>Gets the network.</summary>
    public Backbone Backbone => Embedder.Backbone;

    /// <summary>Gets the device and the number of threads.</summary>
    public BackboneRuntime Runtime => Backbone.Runtime;

    /// <summary>Gets whether images are scored on the runtime's device, unless the model was evicted from it.</summary>
    public bool ScoresOnDevice => _device is not null;

    /// <summary>
    /// Gets the number of images that are scored together in little more time than one: the number of threads on the
    /// host, any number on a device.
    /// </summary>
    public int PreferredBatchSize => _device is null ? Runtime.Threads : int.MaxValue;

    /// <summary>Gets the bytes of device memory that the model uses; 0 if it is scored on the host.</summary>
    public long DeviceBytes => _device is { IsFreed: false } ? _device.DeviceBytes : 0;

    /// <summary>
    /// Estimates the bytes of device memory that a model of some shape would use. Leaves out what is small beside its
    /// factors: the weights of the reduction, and masks.
    /// </summary>
    /// <param name="runtime">Where the model would be scored.</param>
    /// <param name="gaussians">Number of Gaussians: that of patch positions, or 1 that all share.</param>
    /// <param name="dimensions">Number of dimensions d.</param>
    public static long EstimateDeviceBytes(BackboneRuntime runtime, int gaussians, int dimensions) =>
        runtime.ScoresOnDevice ? sizeof(float) * (long)gaussians * dimensions * (dimensions + 1) : 0;

    /// <summary>Gets the bytes of memory that the model uses, on the host and the device together.</summary>
    public long Bytes => Model.Bytes + DeviceBytes;

    /// <summary>
    /// Gets whether images of both scorers may be scored in one batch. Kernels can use one pass of the backbone for
    /// several models; a device scores one model at a time, from the image to the map.
    /// </summary>
    public bool SharesBatchesWith(ModelScorer other) =>
        ReferenceEquals(this, other)
        || (_device is null && other._device is null && Embedder.SharesBatchesWith(other.Embedder));

    /// <summary>Scores a whole batch on the device.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="maps">One map per image.</param>
    /// <returns>False if the host must score: the runtime does not score on a device, or the model has been evicted
    /// from it.</returns>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The device failed, or is out of
    /// memory.</exception>
    public bool TryScoreOnDevice(float[] prepared, int count, [NotNullWhen(true)] out RawMap[]? maps)
    {
        maps =
            _device is not null && _device.TryScore(prepared, count, out var drawn)
                ?
                [
                    // What a border covers differs between images, so the host draws their maps.
                    .. drawn.Select(map =>
                        Model.Settings.Aspect == AspectMode.Letterbox
                            ? (RawMap)new RawMap.Patches(map)
                            : new RawMap.Pixels(map)
                    ),
                ]
                : null;
        return maps is not null;
    }

    /// <summary>
    /// Computes the distances of several images at all patch positions, on the host. Reads each position's factor once
    /// for all images.
    /// </summary>
    /// <param name="batch">The features of each image.</param>
    /// <param name="compute">Where to compute.</param>
    public AnomalyMap[] ComputeDistances(IReadOnlyList<ReducedTaps> batch, ComputeContext compute)
    {
        using var binding = batch.Count == 1 ? Runtime.BindCaller(compute) : default;
        var parallel = compute.ToParallelOptions();
        if (binding.Scheduler is { } boundThreads)
            parallel.TaskScheduler = boundThreads;
        return MahalanobisScorer.ComputeDistances(Model.Distribution, batch, parallel);
    }

    /// <summary>Creates the map over the prepared image, off which <see cref="GetScore"/> reads the score.</summary>
    /// <param name="raw">The result of scoring.</param>
    /// <param name="frame">How the image lies in the prepared image.</param>
    /// <param name="placement">How the part lies in the image.</param>
    public AnomalyMap ToPixels(RawMap raw, ImageFrame frame, RigidTransform placement) =>
        Preprocessing.ToImageFrame(
            raw switch
            {
                RawMap.Patches patches => _mapper.ToPixels(patches.Distances, _counted.Get(frame).Region),
                RawMap.Pixels pixels => pixels.Map,
                _ => throw new InvalidOperationException(),
            },
            frame,
            placement
        );

    /// <summary>Gets the image score.</summary>
    /// <param name="map">The map over the prepared image.</param>
    /// <param name="frame">How the image lies in the prepared image.</param>
    public float GetScore(AnomalyMap map, ImageFrame frame) => _counted.Get(frame).Score.Compute(map);

    /// <summary>Gets why an image of some size cannot be scored: nothing of it counts. Null if it can.</summary>
    /// <param name="size">Size of the upright image.</param>
    public string? ValidateSize(Grid size) =>
        Model.Settings.Aspect == AspectMode.Letterbox
            ? Model.Settings.ValidateIgnoreMask(Model.Ignored, Model.Settings.GetSeenSize(size))
            : null;

    /// <summary>Creates the frame that says how what the model sees of an image lies in the prepared image.</summary>
    /// <param name="size">Size of the upright image.</param>
    public ImageFrame CreateFrame(Grid size) => Preprocessing.CreateFrame(Model.Settings.GetSeenSize(size));

    /// <summary>
    /// Gets the level from which on pixels are marked as a defect, so that marks never contradict the decision: the
    /// threshold for an anomalous image, and none for a normal one. The largest pixel is never below the score, so an
    /// anomalous image always has a pixel at the level. A mean of the highest pixels, however, may stay below a
    /// threshold that some of them reach.
    /// </summary>
    /// <param name="score">The image score.</param>
    /// <param name="threshold">Scores at or above it are anomalous.</param>
    public static double GetDefectLevel(float score, double threshold) =>
        score >= threshold ? threshold : double.PositiveInfinity;

    /// <summary>Finds what of an image is at or above a level.</summary>
    /// <param name="map">The map over the prepared image.</param>
    /// <param name="level">The level, from <see cref="GetDefectLevel"/>.</param>
    /// <param name="mapper">Leads to the pixels of the original.</param>
    /// <param name="contours">Whether to trace the contours of the regions.</param>
    public Defects FindDefects(AnomalyMap map, double level, OriginalMapper mapper, bool contours)
    {
        var regions = RegionFinder.Find(map, level, contours);
        var area = 100.0 * regions.Sum(region => region.Area) / _counted.Get(mapper.Frame).Pixels;
        return new Defects(
            [.. regions.Select(mapper.ToOriginal)],
            // Alignment may enlarge the area by the rounding of its border.
            Math.Min(area, 100)
        );
    }

    /// <summary>Scores one image, of which a region of interest has been cut out already.</summary>
    /// <param name="image">What the model sees.</param>
    /// <param name="compute">Where to compute.</param>
    /// <returns>The map over the prepared image.</returns>
    public AnomalyMap Score(RgbImage image, ComputeContext compute) => Score(image, compute, out _);

    /// <summary>Scores one image, of which a region of interest has been cut out already.</summary>
    /// <param name="image">What the model sees.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="placement">How the part lies in the image.</param>
    /// <returns>The map over the prepared image.</returns>
    public AnomalyMap Score(RgbImage image, ComputeContext compute, out RigidTransform placement)
    {
        var frame = Preprocessing.CreateFrame(new Grid(image.Height, image.Width));
        if (Embedder.Tiles is not null)
        {
            using var tiled = OpenTiles(image, new Grid(image.Height, image.Width), measures: false, found: null);
            placement = tiled.Placement;
            return ScoreTiles(tiled, frame, compute);
        }
        var prepared = new float[Embedder.PreparedLength];
        placement = Preprocessing.Prepare(image, frame, prepared);
        var raw = TryScoreOnDevice(prepared, 1, out var maps) ? maps : ScoreOnHost(prepared, 1, compute);
        return ToPixels(raw[0], frame, placement);
    }

    /// <summary>Computes the score of an image that has all pixels of its file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="compute">Where to compute.</param>
    public float ComputeScore(RgbImage image, ComputeContext compute) =>
        GetScore(Score(image, compute), Preprocessing.CreateFrame(new Grid(image.Height, image.Width)));

    /// <summary>Scores one image, and finds what is unusual about it.</summary>
    /// <param name="decoded">The image.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="placement">How the part lies in the image.</param>
    /// <param name="warnings">What makes the score doubtful.</param>
    /// <returns>The map over the prepared image.</returns>
    public AnomalyMap Score(
        DecodeResult.Decoded decoded,
        ComputeContext compute,
        out RigidTransform placement,
        out IReadOnlyList<InputWarning> warnings
    )
    {
        AnomalyMap map;
        InputTraits traits;
        DecodeResult.Decoded seen;
        if (Embedder.Tiles is not null)
        {
            using var tiled = OpenTiles(decoded, measures: true, out seen);
            placement = tiled.Placement;
            map = ScoreTiles(tiled, Preprocessing.CreateFrame(seen.Size), compute);
            traits = tiled.Measure();
        }
        else
        {
            var prepared = new float[Embedder.PreparedLength];
            placement = Prepare(decoded, prepared, out traits, out seen);
            var raw = TryScoreOnDevice(prepared, 1, out var maps) ? maps : ScoreOnHost(prepared, 1, compute);
            map = ToPixels(raw[0], Preprocessing.CreateFrame(seen.Size), placement);
        }
        var found = InputChecker.Check(Model, seen, traits);
        warnings = InputChecker.Check(Model, map) is { } unlike ? [.. found, unlike] : found;
        return map;
    }

    /// <summary>Scores several images side by side.</summary>
    /// <param name="images">The images.</param>
    /// <param name="compute">Where to compute.</param>
    /// <returns>For each image its map, and how the part lies in it.</returns>
    public (AnomalyMap Map, RigidTransform Placement)[] Score(
        IReadOnlyList<DecodeResult.Decoded> images,
        ComputeContext compute
    )
    {
        if (Embedder.Tiles is not null)
            return [.. images.Select(image => (ScoreTiles(image, compute, out var placement), placement))];
        var parallel = compute.ToParallelOptions();
        var length = Embedder.PreparedLength;
        var results = new (AnomalyMap Map, RigidTransform Placement)[images.Count];
        var frames = images.Select(image => CreateFrame(image.Size)).ToArray();
        var prepared = LargeArray.Create<float>((long)images.Count * length);
        ParallelLoop.For(
            images.Count,
            parallel,
            i => results[i].Placement = Prepare(images[i], prepared.AsSpan(i * length, length), out _, out _)
        );
        var raw = TryScoreOnDevice(prepared, images.Count, out var maps)
            ? maps
            : ScoreOnHost(prepared, images.Count, compute);
        ParallelLoop.For(
            images.Count,
            parallel,
            i => results[i].Map = ToPixels(raw[i], frames[i], results[i].Placement)
        );
        return results;
    }

    /// <summary>Opens an image to score it, or its region of interest, tile by tile; for a model with tiles.</summary>
    /// <param name="decoded">The image; read until the result is disposed.</param>
    /// <param name="measures">Whether the image is to be measured too.</param>
    /// <param name="seen">What the model sees of it.</param>
    /// <param name="parts">What was found in the same decoded image; null for nothing.</param>
    public TiledImage OpenTiles(
        DecodeResult.Decoded decoded,
        bool measures,
        out DecodeResult.Decoded seen,
        FoundParts? parts = null
    )
    {
        seen = Embedder.Cut(decoded, out var found, parts);
        return OpenTiles(seen.Image, seen.Size, measures, Model.Settings.Region is null ? null : found);
    }

    private TiledImage OpenTiles(RgbImage image, Grid size, bool measures, RigidTransform? found) =>
        new(this, Preprocessing.ReadTiles(image, Preprocessing.CreateFrame(size), Embedder.Tiles!, measures), found);

    private AnomalyMap ScoreTiles(DecodeResult.Decoded decoded, ComputeContext compute, out RigidTransform placement)
    {
        using var tiled = OpenTiles(decoded, measures: false, out var seen);
        placement = tiled.Placement;
        return ScoreTiles(tiled, Preprocessing.CreateFrame(seen.Size), compute);
    }

    private AnomalyMap ScoreTiles(TiledImage tiled, ImageFrame frame, ComputeContext compute)
    {
        while (tiled.PrepareNext(compute.Threads))
        {
            using var features = Embedder.Extract(tiled.Prepared, tiled.Count, compute);
            tiled.Add(features, 0, compute);
        }
        return ToPixels(tiled.Map, frame, tiled.Placement);
    }

    /// <summary>Prepares an image, or the region of it that the model sees.</summary>
    /// <param name="decoded">The image.</param>
    /// <param name="prepared">Receives what is scored.</param>
    /// <param name="traits">What the image is like.</param>
    /// <param name="seen">What the model sees of it.</param>
    /// <param name="parts">What was found in the same decoded image; null for nothing.</param>
    /// <returns>How the part lies in the image.</returns>
    public RigidTransform Prepare(
        DecodeResult.Decoded decoded,
        Span<float> prepared,
        out InputTraits traits,
        out DecodeResult.Decoded seen,
        FoundParts? parts = null
    )
    {
        seen = Embedder.Cut(decoded, out var found, parts);
        var frame = Preprocessing.CreateFrame(seen.Size);
        var placement = Preprocessing.Prepare(seen.Image, frame, prepared, out traits);
        return Model.Settings.Region is null ? placement : found;
    }

    private RawMap[] ScoreOnHost(float[] prepared, int count, ComputeContext compute)
    {
        using var features = Embedder.Extract(prepared, count, compute);
        return
        [
            .. ComputeDistances([.. Enumerable.Range(0, count).Select(features.GetTaps)], compute)
                .Select(map => new RawMap.Patches(map)),
        ];
    }

    /// <summary>
    /// Frees the device's memory as soon as the runs in progress have ended. A scorer that is still in use continues
    /// with the same model on the host, so that a request that began before its model was evicted succeeds.
    /// </summary>
    public void Dispose() => _device?.Dispose();

    /// <summary>
    /// Gets the pixels of an image that the model ignores or does not see, at the image's own size; null if it sees and
    /// counts all.
    /// </summary>
    /// <param name="size">Rows and columns of the image.</param>
    /// <param name="placement">How the part lies in the image.</param>
    internal bool[]? GetIgnoredPixels(Grid size, RigidTransform placement)
    {
        if (Preprocessing.CreateMapper(size, placement).Region is { } region)
        {
            var seen = Preprocessing.CreateFrame(region.Size);
            return new RegionMapper(region).MarkOutside((x, y) => IsIgnored(seen, x, y, RigidTransform.Identity));
        }
        if (Model.Ignored is null)
            return null;
        var frame = Preprocessing.CreateFrame(size);
        var result = new bool[size.Positions];
        var toTemplate = placement.Inverse();
        for (var y = 0; y < size.Height; y++)
        for (var x = 0; x < size.Width; x++)
            result[y * size.Width + x] = IsIgnored(frame, x + 0.5, y + 0.5, toTemplate);
        return result;
    }

    private bool IsIgnored(ImageFrame frame, double x, double y, RigidTransform toTemplate)
    {
        if (Model.Ignored is not { } ignored)
            return false;
        var (height, width) = (frame.ImageSize.Height, frame.ImageSize.Width);
        var (column, row) = toTemplate.Map(
            frame.Columns.ToImageSize(x) - 0.5,
            frame.Rows.ToImageSize(y) - 0.5,
            frame.ImageSize
        );
        var nearX = (int)Math.Round(column);
        var nearY = (int)Math.Round(row);
        return nearX >= 0 && nearX < width && nearY >= 0 && nearY < height && ignored[nearY * width + nearX];
    }
}
