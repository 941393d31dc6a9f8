using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;

namespace PaDiM.Engine.Inference;

/// <summary>
/// A frozen network, open in ONNX Runtime, cut off behind its last tap, with the reduction of its channels as part of
/// the graph: each tap is reduced at its own resolution, and the full channels are never seen outside. Thread-safe; one
/// graph serves all categories, since the weights of a reduction are inputs. Chosen channels have a graph of their own,
/// whose last layers compute nothing else.
/// </summary>
public sealed class Backbone : IDisposable
{
    /// <summary>
    /// Choices that have graphs of their own: each holds the weights once or twice more. Categories that leave the seed
    /// alone share one.
    /// </summary>
    private const int MostChoices = 2;

    private readonly BackboneSessions _projecting;
    private readonly List<(ChannelSelection Selection, BackboneSessions Sessions)> _choosing = [];

    private readonly string[] _inputs,
        _outputs;
    private readonly RunOptions _options = new();

    /// <summary>Sessions of the graphs that read this network's features, by hash.</summary>
    private readonly ConcurrentDictionary<string, Lazy<InferenceSession>> _behind = new(StringComparer.Ordinal);

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
        FixedSize = probe.FixedSize;
        Taps = probe.Taps;
        _projecting = new BackboneSessions(runtime, graph);
        TapChannels = [.. Taps.Select(tap => tap.Channels)];
        _inputs = [probe.Input, .. identity.Taps.Select(TapReduction.WeightsOf)];
        _outputs = [.. identity.Taps.Select(TapReduction.OutputOf)];
    }

    /// <summary>The file it was loaded from.</summary>
    public BackboneFile File { get; }

    /// <summary>What its manifest says.</summary>
    public BackboneManifest Manifest { get; }

    /// <summary>Device and threads.</summary>
    public BackboneRuntime Runtime { get; }

    /// <summary>Name, hash and taps, as models record them.</summary>
    public BackboneIdentity Identity { get; }

    /// <summary>Taps with their strides and channels as measured, finest first.</summary>
    public IReadOnlyList<BackboneTap> Taps { get; }

    /// <summary>The only prepared size that the graph accepts, in pixels; null when it accepts any.</summary>
    public int? FixedSize { get; }

    /// <summary>
    /// The session, for callers that keep features on the device; its first input is a prepared batch, the others are
    /// the weights of the reduction; its outputs are the reduced taps in order.
    /// </summary>
    internal InferenceSession Session => _projecting.Together;

    /// <summary>Channels of each tap.</summary>
    public IReadOnlyList<int> TapChannels { get; }

    /// <summary>
    /// Opens a backbone: checks the hash, turns the taps into outputs, drops dead layers, and runs it once.
    /// </summary>
    /// <exception cref="InvalidDataException">The file, its manifest or its graph is unusable, with a sentence that
    /// says why.</exception>
    public static Backbone Load(BackboneFile file, BackboneRuntime runtime)
    {
        try
        {
            var bytes = System.IO.File.ReadAllBytes(file.Path);
            var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
            var manifest = file.ReadManifest();
            if (!manifest.Accepts(hash))
                throw new InvalidDataException(
                    "its SHA-256 is not the one in its manifest; the file is damaged or another one, and padim backbones pull, or add, of the right one mends it"
                );
            var graph = GraphEditor.Open(bytes);
            var taps = manifest.Taps?.Select(tap => tap.Tensor).ToArray() ?? TapFinder.Find(graph);
            var tapped = graph.WithOutputs(taps);
            if (tapped.Inputs.Count != 1)
                throw new InvalidDataException(
                    $"it takes {tapped.Inputs.Count} inputs; a backbone takes one, of shape (n, 3, h, w)"
                );
            var probe = TapProbe.Run(tapped, taps, runtime);
            var backbone = new Backbone(
                file,
                manifest,
                runtime,
                TapReduction.Append(tapped, probe.Taps).ToArray(),
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
    /// Runs the network on a batch, reduction included. As many images as fill all threads run side by side, a thread
    /// each, which is quicker than all threads on one image after the other; what is left over goes together on all
    /// threads. On a scheduler of the caller's own, such as one of low priority, all images run side by side on its
    /// threads: ONNX Runtime's are not among them.
    /// </summary>
    /// <param name="prepared">Shape <c>(count, 3, size.Height, size.Width)</c>, normalised.</param>
    /// <param name="count">Images in the batch, at least 1.</param>
    /// <param name="size">Prepared size in pixels.</param>
    /// <param name="reduction">From these taps' channels to d dimensions.</param>
    /// <returns>Reduced maps of each image, valid until disposed.</returns>
    /// <exception cref="OnnxRuntimeException">The graph does not run on this input.</exception>
    /// <exception cref="ArgumentException">A reduction of other taps.</exception>
    public BackboneFeatures Extract(float[] prepared, int count, Grid size, ChannelReduction reduction)
    {
        if (!reduction.TapChannels.SequenceEqual(TapChannels))
            throw new ArgumentException(
                $"A reduction of {string.Join('+', reduction.TapChannels)} channels does not fit taps of {string.Join('+', TapChannels)}.",
                nameof(reduction)
            );
        var apart =
            Runtime is not { Threads: > 1, ScoresOnDevice: false } ? 0
            : TaskScheduler.Current == TaskScheduler.Default ? count - count % Runtime.Threads
            : count;
        var runs = new IDisposableReadOnlyCollection<OrtValue>[apart < count ? apart + 1 : apart];
        var choice = FindChoice(reduction);
        var sessions = choice ?? _projecting;
        var names = choice is null ? _inputs : _inputs[..1];
        var weights = choice is null
            ? Taps.Select(
                    (tap, i) =>
                        Tensor(MemoryMarshal.AsMemory(reduction.GetTapWeights(i)), [tap.Channels, reduction.Dimensions])
                )
                .ToArray()
            : [];
        try
        {
            if (apart > 0)
            {
                var single = sessions.Apart;
                Parallel.For(0, apart, Runtime.InParallel(), image => runs[image] = Run(single, image, 1));
            }
            if (apart < count)
            {
                using var bound = Runtime.BindCaller();
                runs[apart] = Run(sessions.Together, apart, count - apart);
            }
            return new BackboneFeatures(runs, reduction.Dimensions);
        }
        catch (Exception e)
        {
            foreach (var run in runs)
                run?.Dispose();
            if (e is AggregateException several)
                ParallelFaults.Rethrow(several);
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
            using var batch = Tensor(
                prepared.AsMemory(first * values, images * values),
                [images, 3, size.Height, size.Width]
            );
            return on.Run(_options, names, [batch, .. weights], _outputs);
        }
    }

    /// <summary>
    /// The sessions of chosen channels; null where the general graph serves them: some tap has none, others came first,
    /// the device computes, or the file has changed since.
    /// </summary>
    private BackboneSessions? FindChoice(ChannelReduction reduction)
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
                _choosing.Count == MostChoices
                || selection.GroupByTap().Any(chosen => chosen.Length == 0)
                || ReadAgain() is not { } graph
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

    private GraphEditor? ReadAgain()
    {
        try
        {
            var bytes = System.IO.File.ReadAllBytes(File.Path);
            return Convert.ToHexStringLower(SHA256.HashData(bytes)) == Identity.Sha256
                ? GraphEditor.Open(bytes).WithOutputs(Identity.Taps)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// The session of a graph that reads this network's features, one for all graphs of equal bytes; it lives as long
    /// as the network's own.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">The device has no room.</exception>
    internal InferenceSession SessionBehind(byte[] graph)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(graph));
        var opened = _behind.GetOrAdd(hash, _ => new Lazy<InferenceSession>(() => Runtime.CreateSession(graph)));
        try
        {
            return opened.Value;
        }
        catch
        {
            // A failure is not kept: the device may have room later.
            _behind.TryRemove(KeyValuePair.Create(hash, opened));
            throw;
        }
    }

    /// <summary>Positions of each tap at a prepared size, found by running the network once.</summary>
    internal Grid[] GridsAt(Grid size)
    {
        using var features = Extract(
            new float[3 * size.Positions],
            1,
            size,
            ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 1, 0)
        );
        return [.. features[0].Select(map => map.Grid)];
    }

    /// <summary>
    /// A sentence about settings that this backbone, or this machine's memory, cannot serve; null when it can.
    /// </summary>
    public string? FindMisfit(FitSettings settings)
    {
        var channels = TapChannels.Sum();
        var size = settings.GetPreparedSize().Width;
        if (settings.Reduction != ReductionMethod.None && settings.Dimensions > channels)
            return $"The backbone '{Identity.Name}' has {channels} channels; {settings.Dimensions} dimensions cannot be drawn from them.";
        if (FixedSize is { } only && only != size)
            return $"The backbone '{Identity.Name}' takes images of {only} x {only} pixels only; set the image size, or the crop size, to {only}.";
        return EstimateFit(settings).FindMisfit(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    /// <summary>What a fit with these settings needs.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="images">Images of normal parts; null for so many that their number has no say in memory.</param>
    /// <param name="embedded">Images that are still to be embedded; null for all.</param>
    public FitEstimate EstimateFit(FitSettings settings, int? images = null, int? embedded = null) =>
        FitEstimate.Create(
            settings,
            PatchesOf(settings),
            settings.Reduction == ReductionMethod.None ? TapChannels.Sum() : settings.Dimensions,
            images,
            embedded
        );

    /// <summary>Patch positions of an image that is prepared with these settings.</summary>
    internal Grid PatchesOf(FitSettings settings)
    {
        var side = (settings.GetPreparedSize().Width + Taps[0].Stride - 1) / Taps[0].Stride;
        return new Grid(side, side);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var opened in _behind.Values.Where(opened => opened.IsValueCreated))
            opened.Value.Dispose();
        _behind.Clear();
        foreach (var (_, sessions) in _choosing)
            sessions.Dispose();
        _projecting.Dispose();
        _options.Dispose();
    }

    private static OrtValue Tensor(Memory<float> values, long[] shape) =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);
}
