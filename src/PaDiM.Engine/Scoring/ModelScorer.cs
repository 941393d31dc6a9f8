using System.Diagnostics.CodeAnalysis;
using PaDiM.Core;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Scores images with one model: the embedding's distance from the distribution, upsampled, smoothed, and its maximum.
/// On the host by kernels, or on the runtime's device by a <see cref="DeviceScorer"/>, of which it is the owner.
/// Thread-safe.
/// </summary>
public sealed class ModelScorer : IDisposable
{
    private readonly DeviceScorer? _device;
    private readonly ParallelOptions _parallel;
    private readonly RegionOfInterest? _region;
    private readonly PixelMapper _mapper;

    /// <summary>
    /// An inspector whose distances are computed on the host, as while fitting; nothing of it needs to be disposed.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that it was fitted with, byte for byte.</param>
    /// <exception cref="InvalidDataException">Another network.</exception>
    public ModelScorer(PadimModel model, Backbone backbone)
        : this(model, backbone, onDevice: false) { }

    private ModelScorer(PadimModel model, Backbone backbone, bool onDevice)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException(
                $"The model was fitted with another file, other taps or another normalisation of the backbone '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256}); fit it again or put those back."
            );
        Model = model;
        Embedder = new Embedder(backbone, model.Settings, model.Reduction, model.Template);
        _region = model.Settings.CreateRegion(model.Ignored, model.Distribution.Grid);
        _mapper = new PixelMapper(model.Distribution.Grid, model.Settings.GetPreparedSize(), model.Settings.BlurSigma);
        _parallel = backbone.Runtime.InParallel();
        _device = onDevice ? new DeviceScorer(model, backbone) : null;
    }

    /// <summary>
    /// An inspector that scores where the backbone's runtime does: of a runtime on CUDA it copies the statistics to the
    /// device.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that it was fitted with, byte for byte; must outlive this.</param>
    /// <exception cref="InvalidDataException">Another network, or statistics too large for one tensor.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The device has no room.</exception>
    public static ModelScorer Open(PadimModel model, Backbone backbone) =>
        new(model, backbone, backbone.Runtime.ScoresOnDevice);

    /// <summary>The model.</summary>
    public PadimModel Model { get; }

    /// <summary>From images to embeddings.</summary>
    public Embedder Embedder { get; }

    /// <summary>
    /// Images that are scored together in little more time than one: as many as threads on the host, any number on a
    /// device.
    /// </summary>
    public int SideBySide => _device is null ? Embedder.Backbone.Runtime.Threads : int.MaxValue;

    /// <summary>What the model takes of the device's memory; 0 where it is scored on the host.</summary>
    public long DeviceBytes => _device is { IsFreed: false } ? _device.DeviceBytes : 0;

    /// <summary>
    /// What a model of a shape would take of the device's memory, but for what is small beside its factors: the weights
    /// of the reduction, and masks.
    /// </summary>
    /// <param name="runtime">Where it would be scored.</param>
    /// <param name="patches">Patch positions.</param>
    /// <param name="dimensions">d.</param>
    public static long EstimateDeviceBytes(BackboneRuntime runtime, Grid patches, int dimensions) =>
        runtime.ScoresOnDevice ? sizeof(float) * (long)patches.Positions * dimensions * (dimensions + 1) : 0;

    /// <summary>What the model takes in memory, the host's and the device's together.</summary>
    public long Bytes => Model.Bytes + DeviceBytes;

    /// <summary>
    /// Whether images of the two may wait for each other and be scored in one batch. Kernels take features of several
    /// models from one pass of the backbone; a device scores one model at a time, from the image to the map.
    /// </summary>
    public bool SharesBatchesWith(ModelScorer other) =>
        ReferenceEquals(this, other)
        || (_device is null && other._device is null && Embedder.SharesBatchesWith(other.Embedder));

    /// <summary>Scores on the device, in one go.</summary>
    /// <param name="prepared">Shape <c>(count, 3, h, w)</c>.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="maps">One an image.</param>
    /// <returns>False where the host scores: the runtime does not score on a device, or the model has been driven out
    /// of it.</returns>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The device failed, or has no room.</exception>
    public bool TryScoreOnDevice(float[] prepared, int count, [NotNullWhen(true)] out RawMap[]? maps)
    {
        maps =
            _device is not null && _device.TryScore(prepared, count, out var drawn)
                ? [.. drawn.Select(map => new RawMap.Pixels(map))]
                : null;
        return maps is not null;
    }

    /// <summary>
    /// Distances at patch positions, of several images, on the host; each position's factor is read once for all of
    /// them.
    /// </summary>
    public AnomalyMap[] Distances(IReadOnlyList<ReducedTaps> batch)
    {
        using var bound = batch.Count == 1 ? Embedder.Backbone.Runtime.BindCaller() : default;
        return MahalanobisScorer.ComputeDistances(
            Model.Distribution,
            batch,
            bound.Scheduler is { } scheduler
                ? new ParallelOptions
                {
                    MaxDegreeOfParallelism = _parallel.MaxDegreeOfParallelism,
                    TaskScheduler = scheduler,
                }
                : _parallel
        );
    }

    /// <summary>The map over the prepared image whose maximum is the image score.</summary>
    /// <param name="raw">As it was scored.</param>
    /// <param name="placement">How the part lies in the image.</param>
    public AnomalyMap ToPixels(RawMap raw, RigidTransform placement) =>
        Embedder.Preprocessing.ToImageFrame(
            raw switch
            {
                RawMap.Patches patches => _mapper.ToPixels(patches.Distances, _region),
                RawMap.Pixels pixels => pixels.Map,
                _ => throw new InvalidOperationException(),
            },
            placement
        );

    /// <summary>All of it for one image.</summary>
    public AnomalyMap Score(RgbImage image) => Score(image, out _);

    /// <summary>All of it for one image, and how the part lies in it.</summary>
    public AnomalyMap Score(RgbImage image, out RigidTransform placement)
    {
        var prepared = new float[Embedder.PreparedLength];
        placement = Embedder.Preprocessing.Prepare(image, prepared);
        return ToPixels((TryScoreOnDevice(prepared, 1, out var maps) ? maps : ScoreOnHost(prepared, 1))[0], placement);
    }

    /// <summary>All of it for several images side by side, and how the part lies in each.</summary>
    public (AnomalyMap Map, RigidTransform Placement)[] Score(IReadOnlyList<RgbImage> images)
    {
        var length = Embedder.PreparedLength;
        var results = new (AnomalyMap Map, RigidTransform Placement)[images.Count];
        var prepared = LargeArray.Create<float>((long)images.Count * length);
        Parallel.For(
            0,
            images.Count,
            _parallel,
            i => results[i].Placement = Embedder.Preprocessing.Prepare(images[i], prepared.AsSpan(i * length, length))
        );
        var raw = TryScoreOnDevice(prepared, images.Count, out var maps) ? maps : ScoreOnHost(prepared, images.Count);
        Parallel.For(0, images.Count, _parallel, i => results[i].Map = ToPixels(raw[i], results[i].Placement));
        return results;
    }

    private RawMap[] ScoreOnHost(float[] prepared, int count)
    {
        using var features = Embedder.Extract(prepared, count);
        return
        [
            .. Distances([.. Enumerable.Range(0, count).Select(features.TapsOf)])
                .Select(map => new RawMap.Patches(map)),
        ];
    }

    /// <summary>
    /// Gives the device's memory back, as soon as the runs under way have ended. Whoever still holds the inspector goes
    /// on with the same model on the host: a request that began before its model was driven out ends as it would have.
    /// </summary>
    public void Dispose() => _device?.Dispose();

    /// <summary>The pixels of an image that the model ignores, at the image's own size; null when all count.</summary>
    /// <param name="size">Rows and columns of the image.</param>
    /// <param name="placement">How the part lies in the image.</param>
    internal bool[]? IgnoredAt(Grid size, RigidTransform placement)
    {
        if (Model.Ignored is not { } ignored)
            return null;
        var side = Model.Settings.ImageSize;
        var result = new bool[size.Positions];
        var toTemplate = placement.Inverse();
        for (var y = 0; y < size.Height; y++)
        for (var x = 0; x < size.Width; x++)
        {
            var (column, row) = toTemplate.Map(
                (x + 0.5) * side / size.Width - 0.5,
                (y + 0.5) * side / size.Height - 0.5,
                side
            );
            var nearX = (int)Math.Round(column);
            var nearY = (int)Math.Round(row);
            result[y * size.Width + x] =
                nearX >= 0 && nearX < side && nearY >= 0 && nearY < side && ignored[nearY * side + nearX];
        }
        return result;
    }
}
