using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Machine;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Represents a frozen network, open in ONNX Runtime and cut off behind its last tap. The reduction of channels is part
/// of the graph: each tap is reduced at its own resolution, and the full channels never leave the runtime. One graph
/// serves all categories, because the weights of a reduction are inputs. Selected channels have a graph of their own,
/// whose last layers compute only those channels. Thread-safe.
/// </summary>
public sealed class Backbone : IDisposable
{
    /// <summary>
    /// Number of channel selections that get a graph of their own: each graph holds the weights once or twice more.
    /// Categories with the same seed share one.
    /// </summary>
    private const int MaxChoiceGraphs = 2;

    private readonly BackboneSessions _projecting;
    private readonly List<(ChannelSelection Selection, BackboneSessions Sessions)> _choosing = [];

    private readonly string[] _inputs;
    private readonly string[] _outputs;
    private readonly TapProbe _probe;
    private readonly RunOptions _options = new();

    /// <summary>Sessions of the graphs that read this network's features, by the hash of the graph.</summary>
    private readonly ConcurrentDictionary<string, Lazy<InferenceSession>> _downstream = new(StringComparer.Ordinal);

    private Backbone(
        BackboneFile file,
        BackboneManifest manifest,
        BackboneRuntime runtime,
        byte[] graph,
        BackboneIdentity identity,
        TapProbe probe
    )
    {
        File = file;
        Manifest = manifest;
        Runtime = runtime;
        Identity = identity;
        _probe = probe;
        _projecting = new BackboneSessions(runtime, graph);
        TapChannels = [.. Taps.Select(tap => tap.Channels)];
        _inputs = [probe.Input, .. identity.Taps.Select(TapReduction.GetWeightsName)];
        _outputs = [.. identity.Taps.Select(TapReduction.GetOutputName)];
    }

    /// <summary>Gets the file that the network was loaded from.</summary>
    public BackboneFile File { get; }

    /// <summary>Gets the manifest of the file.</summary>
    public BackboneManifest Manifest { get; }

    /// <summary>Gets the device and the number of threads.</summary>
    public BackboneRuntime Runtime { get; }

    /// <summary>Gets the name, hash and taps, as models record them.</summary>
    public BackboneIdentity Identity { get; }

    /// <summary>Gets the taps with their measured strides and channels, finest first.</summary>
    public IReadOnlyList<BackboneTap> Taps => _probe.Taps;

    /// <summary>Gets the only prepared size that the graph accepts, in pixels; null if it accepts any.</summary>
    public int? FixedSize => _probe.FixedSize;

    /// <summary>
    /// Gets the number of pixels of which prepared sizes must be multiples: the side of a vision transformer's patches;
    /// 1 for other networks.
    /// </summary>
    public int SizeMultiple => _probe.Patches is { } patches && _probe.Prefixes.Count > 0 ? patches.Size : 1;

    /// <summary>
    /// Gets the number of tokens of a vision transformer that belong to no patch; null if its taps are maps.
    /// </summary>
    public int? PrefixTokens => _probe.Prefixes.Count > 0 ? _probe.Prefixes.Values.Max() : null;

    /// <summary>
    /// Gets the session, for callers that keep features on the device. Its first input is a prepared batch, the others
    /// are the weights of the reduction. Its outputs are the reduced taps, in order.
    /// </summary>
    internal InferenceSession Session => _projecting.OnAllThreads;

    /// <summary>Gets the number of channels of each tap.</summary>
    public IReadOnlyList<int> TapChannels { get; }

    /// <summary>
    /// Opens a backbone: checks the hash, makes the taps outputs, removes unused layers, and runs the network once.
    /// </summary>
    /// <exception cref="InvalidDataException">The file, its manifest or its graph cannot be used; the message says
    /// why.</exception>
    public static Backbone Load(BackboneFile file, BackboneRuntime runtime)
    {
        try
        {
            var bytes = System.IO.File.ReadAllBytes(file.Path);
            var hash = FileHash.Compute(bytes);
            var manifest = file.ReadManifest();
            if (!manifest.Accepts(hash))
                throw new InvalidDataException(
                    "its SHA-256 differs from the one in its manifest. The file is damaged or a different one;"
                        + " install it again with padim backbones pull or padim backbones add"
                );
            var graph = GraphEditor.Open(bytes);
            var taps = manifest.Taps?.Select(tap => tap.Tensor).ToArray() ?? TapFinder.Find(graph);
            var tapped = graph.WithOutputs(taps);
            if (tapped.Inputs.Count != 1)
                throw new InvalidDataException(
                    $"it takes {tapped.Inputs.Count} inputs; a backbone takes one, of shape (n, 3, h, w)"
                );
            var probe = TapProbe.Run(tapped, taps, manifest.PrefixTokens, runtime);
            var backbone = new Backbone(
                file,
                manifest,
                runtime,
                TapReduction.Append(probe.AppendMaps(tapped), probe.Taps).ToArray(),
                new BackboneIdentity(file.Name, hash, [.. taps], manifest.Normalisation.ToString()),
                probe
            );
            _ = backbone.Session;
            return backbone;
        }
        catch (Exception e)
            when (e is InvalidDataException or OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The backbone '{file.Name}' cannot be used: {e.Message}", e);
        }
    }

    /// <summary>
    /// Runs the network, reduction included, on a batch. Whole groups of as many images as threads run side by side,
    /// one thread per image, which is faster than all threads on one image after the other. The rest runs as one batch
    /// on all threads. In a context of one thread, and in the background, all images run side by side: the threads of
    /// ONNX Runtime would be more than the context allows, or have the usual priority.
    /// </summary>
    /// <param name="prepared">Shape <c>(count, 3, size.Height, size.Width)</c>, normalised.</param>
    /// <param name="count">Images in the batch, at least 1.</param>
    /// <param name="size">Prepared size in pixels.</param>
    /// <param name="reduction">From this network's channels to d dimensions.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="localAverage">Whether to average each reduced tap with its neighbours.</param>
    /// <returns>The reduced maps of each image, valid until disposed.</returns>
    /// <exception cref="OnnxRuntimeException">The graph does not run on this input.</exception>
    /// <exception cref="ArgumentException">The reduction is for other taps.</exception>
    public BackboneFeatures Extract(
        float[] prepared,
        int count,
        Grid size,
        ChannelReduction reduction,
        ComputeContext compute,
        bool localAverage = false
    )
    {
        if (!reduction.TapChannels.SequenceEqual(TapChannels))
            throw new ArgumentException(
                $"A reduction of {string.Join('+', reduction.TapChannels)} channels does not fit taps of"
                    + $" {string.Join('+', TapChannels)} channels.",
                nameof(reduction)
            );
        var sideBySide =
            Runtime is not { Threads: > 1, ScoresOnDevice: false } ? 0
            : compute.IsBackground || compute.Threads == 1 ? count
            : count - count % Runtime.Threads;
        var runs = new IDisposableReadOnlyCollection<OrtValue>[sideBySide < count ? sideBySide + 1 : sideBySide];
        var choice = FindChoiceSessions(reduction);
        var sessions = choice ?? _projecting;
        var names = choice is null ? _inputs : _inputs[..1];
        var weights = choice is null
            ? Taps.Select(
                    (tap, i) =>
                        CreateTensor(
                            MemoryMarshal.AsMemory(reduction.GetTapWeights(i)),
                            [tap.Channels, reduction.Dimensions]
                        )
                )
                .ToArray()
            : [];
        try
        {
            if (sideBySide > 0)
            {
                var single = sessions.OnOneThread;
                ParallelLoop.For(sideBySide, compute.ToParallelOptions(), image => runs[image] = Run(single, image, 1));
            }
            if (sideBySide < count)
            {
                using var binding = Runtime.BindCaller(compute);
                runs[sideBySide] = Run(sessions.OnAllThreads, sideBySide, count - sideBySide);
            }
            return new BackboneFeatures(runs, reduction.Dimensions);
        }
        catch
        {
            foreach (var run in runs)
                run?.Dispose();
            throw;
        }
        finally
        {
            foreach (var tensor in weights)
                tensor.Dispose();
        }

        IDisposableReadOnlyCollection<OrtValue> Run(InferenceSession on, int first, int images)
        {
            var values = 3 * size.Positions;
            using var batch = CreateTensor(
                prepared.AsMemory(first * values, images * values),
                [images, 3, size.Height, size.Width]
            );
            var run = on.Run(_options, names, [batch, .. weights], _outputs);
            if (localAverage)
                Average(run);
            return run;
        }
    }

    /// <summary>
    /// Averages the outputs of a run, shape <c>(images, h, w, d)</c>, in place. The thread that ran the network does it
    /// while the last of them are in its cache.
    /// </summary>
    private static void Average(IDisposableReadOnlyCollection<OrtValue> run)
    {
        foreach (var output in run)
        {
            var shape = output.GetTensorTypeAndShape().Shape;
            var values = output.GetTensorMutableDataAsSpan<float>();
            var length = (int)(values.Length / shape[0]);
            for (var image = 0; image < shape[0]; image++)
                LocalAverage.Apply(values.Slice(image * length, length), new Grid((int)shape[1], (int)shape[2]));
        }
    }

    /// <summary>
    /// Finds, or opens, the sessions for selected channels. Null where the general graph must do: a tap has no selected
    /// channel, other selections came first, scoring runs on a device, or the file has changed since.
    /// </summary>
    private BackboneSessions? FindChoiceSessions(ChannelReduction reduction)
    {
        if (Runtime.ScoresOnDevice || reduction is not ChannelSelection selection)
            return null;
        lock (_choosing)
        {
            if (
                _choosing.Find(choice => choice.Selection.Channels.SequenceEqual(selection.Channels)).Sessions is
                { } known
            )
                return known;
            if (
                _choosing.Count == MaxChoiceGraphs
                || selection.GroupByTap().Any(chosen => chosen.Length == 0)
                || TryReadGraph() is not { } graph
            )
                return null;
            var sessions = new BackboneSessions(
                Runtime,
                ChannelChoice.Append(graph, Taps, [.. selection.GroupByTap()]).ToArray()
            );
            _choosing.Add((selection, sessions));
            return sessions;
        }
    }

    private GraphEditor? TryReadGraph()
    {
        try
        {
            return ReadGraph();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Reads the network again, with its taps, all of them maps, as the only outputs; null if the file has changed since
    /// it was opened.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    internal GraphEditor? ReadGraph()
    {
        var bytes = System.IO.File.ReadAllBytes(File.Path);
        return FileHash.Compute(bytes) == Identity.Sha256
            ? _probe.AppendMaps(GraphEditor.Open(bytes).WithOutputs(Identity.Taps))
            : null;
    }

    /// <summary>
    /// Gets the session of a graph that reads this network's features. Graphs of equal bytes share one; it lives as
    /// long as the backbone.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">The device is out of memory.</exception>
    internal InferenceSession GetDownstreamSession(byte[] graph)
    {
        var hash = FileHash.Compute(graph);
        var opened = _downstream.GetOrAdd(hash, _ => new Lazy<InferenceSession>(() => Runtime.CreateSession(graph)));
        try
        {
            return opened.Value;
        }
        catch
        {
            // Failures are not cached: the device may have memory later.
            _downstream.TryRemove(KeyValuePair.Create(hash, opened));
            throw;
        }
    }

    /// <summary>Measures the grid of each tap at a prepared size by running the network once.</summary>
    internal Grid[] MeasureTapGrids(Grid size)
    {
        using var features = Extract(
            new float[3 * size.Positions],
            1,
            size,
            ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 1, 0),
            ComputeContext.OnThreadPool(Runtime.Threads)
        );
        return [.. features[0].Select(map => map.Grid)];
    }

    /// <summary>
    /// Checks settings against this backbone and this machine's memory. Returns a sentence about the first problem;
    /// null if there is none.
    /// </summary>
    public string? Validate(FitSettings settings)
    {
        var channels = TapChannels.Sum();
        var size = settings.GetInputSize();
        if (settings.Reduction != ReductionMethod.None && settings.Dimensions > channels)
            return $"The backbone '{Identity.Name}' has {channels} channels, fewer than the"
                + $" {settings.Dimensions} dimensions of the settings.";
        var sizes = settings.Tiles is null ? "the image size, or the crop size," : "tiles.size";
        if (FixedSize is { } only && size != new Grid(only, only))
            return $"The backbone '{Identity.Name}' accepts only images of {only} x {only} pixels."
                + $" Set {sizes} to {only}.";
        if (ValidateTiles(settings) is { } fault)
            return fault;
        foreach (var side in new[] { size.Width, size.Height })
            if (side % SizeMultiple != 0)
                return $"The backbone '{Identity.Name}' cuts images into patches of {SizeMultiple} x {SizeMultiple}"
                    + $" pixels. Set {sizes} to a multiple of {SizeMultiple}:"
                    + $" {GetNearestSize(side)} is the nearest to {side}.";
        var available = Math.Min(MemoryLimit.Read().Bytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return EstimateFit(settings).ValidateMemory(available);
    }

    /// <summary>
    /// Checks that the grids of the taps fit together where tiles meet. Returns a sentence about the first side that
    /// does not; null if there is none.
    /// </summary>
    private string? ValidateTiles(FitSettings settings)
    {
        if (settings.Tiles is not { } tiles)
            return null;
        const string Overlap = "tiles.overlap";
        var unit = Taps.Aggregate(SizeMultiple, (multiple, tap) => LeastCommonMultiple(multiple, tap.Stride));
        var canvas = settings.GetPreparedSize();
        (string Name, int Value)[] sides =
        [
            (settings.ImageWidth is null ? "imageSize" : "imageWidth", canvas.Width),
            (settings.ImageHeight is null ? "imageSize" : "imageHeight", canvas.Height),
            ("tiles.size", tiles.Size),
            (Overlap, tiles.Overlap),
        ];
        if (sides.FirstOrDefault(side => side.Value % unit != 0) is not { Name: { } name, Value: var value })
            return null;
        var nearest = (value + unit / 2) / unit * unit;
        // An overlap may be 0, and is at most half of a tile; the others are at least one unit.
        nearest = name == Overlap ? Math.Min(nearest, tiles.Size / 2 / unit * unit) : Math.Max(nearest, unit);
        return $"The backbone '{Identity.Name}' has taps up to stride {Taps.Max(tap => tap.Stride)}, so with tiles {name}"
            + $" must be a multiple of {unit} pixels: {nearest} is the nearest to {value}.";
    }

    private static int LeastCommonMultiple(int a, int b) =>
        a / (int)System.Numerics.BigInteger.GreatestCommonDivisor(a, b) * b;

    /// <summary>Gets the prepared size that the network accepts and that is nearest to another one.</summary>
    public int GetNearestSize(int size) =>
        FixedSize ?? Math.Max(SizeMultiple, (size + SizeMultiple / 2) / SizeMultiple * SizeMultiple);

    /// <summary>Estimates the resources that a fit needs.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="images">Number of images of normal parts; null for so many that memory no longer depends on
    /// it.</param>
    /// <param name="embedded">Number of images that must still be embedded; null for all.</param>
    public FitEstimate EstimateFit(FitSettings settings, int? images = null, int? embedded = null) =>
        FitEstimate.Create(
            settings,
            GetPatchGrid(settings),
            settings.Reduction == ReductionMethod.None ? TapChannels.Sum() : settings.Dimensions,
            images,
            embedded
        );

    /// <summary>Gets the patch positions of an image that is prepared with these settings.</summary>
    internal Grid GetPatchGrid(FitSettings settings)
    {
        var size = settings.GetPreparedSize();
        var stride = Taps[0].Stride;
        return new Grid((size.Height + stride - 1) / stride, (size.Width + stride - 1) / stride);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var opened in _downstream.Values.Where(opened => opened.IsValueCreated))
            opened.Value.Dispose();
        _downstream.Clear();
        foreach (var (_, sessions) in _choosing)
            sessions.Dispose();
        _projecting.Dispose();
        _options.Dispose();
    }

    private static OrtValue CreateTensor(Memory<float> values, long[] shape) =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);
}
