using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Scores prepared images wholly on the runtime's device: features pass from the backbone to the scoring graph without
/// a detour through the host, the statistics lie there already, and only maps come back. With the CPU for a device it
/// is the same path in the host's memory. Owner of the statistics on the device, neither of the backbone nor of the
/// scoring graph's session, which models of equal shapes share. Thread-safe.
/// </summary>
/// <remarks>
/// Alignment happens while an image is prepared, before this, and a map is brought back into the image's frame after
/// it. Runs are counted: what the device holds goes with the last one that began before the scorer was disposed, so
/// that memory is neither used after it was freed nor kept beyond its use.
/// </remarks>
internal sealed class DeviceScorer : IDisposable
{
    private readonly Backbone _backbone;
    private readonly InferenceSession _scoring;
    private readonly DeviceStatistics _statistics;
    private readonly OrtMemoryInfo _device,
        _host = new(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
    private readonly RunOptions _options = new();
    private readonly Lock _gate = new();
    private int _running;
    private bool _closed;

    /// <summary>
    /// Runs the backbone once to see its grids, makes the graph, and copies the statistics to the device.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that it was fitted with, byte for byte; must outlive this.</param>
    /// <exception cref="InvalidDataException">Another network, or statistics too large for a tensor of the
    /// host's.</exception>
    /// <exception cref="OnnxRuntimeException">The device has no room.</exception>
    public DeviceScorer(PadimModel model, Backbone backbone)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException(
                $"The model was fitted with another file, other taps or another normalisation of the backbone '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256})."
            );
        var positions = model.Distribution.Grid.Positions;
        var d = model.Distribution.Dimensions;
        if ((long)positions * d * d > Array.MaxLength)
            throw new InvalidDataException($"{positions} whitening factors of {d} x {d} values do not fit one tensor.");
        _backbone = backbone;
        PreparedSize = model.Settings.GetPreparedSize();
        _device = backbone.Runtime.CreateMemoryInfo();
        _scoring = backbone.SessionBehind(new ScoringGraph(model, backbone.GridsAt(PreparedSize)).ToArray());
        _statistics = new DeviceStatistics(model, backbone);
    }

    /// <summary>Shape of a prepared image, in pixels.</summary>
    public Grid PreparedSize { get; }

    /// <summary>
    /// What the model takes of the device's memory, in bytes, for as long as this lives; a run takes its features
    /// besides.
    /// </summary>
    public long DeviceBytes => _statistics.Bytes;

    /// <summary>The statistics have left the device.</summary>
    public bool IsFreed { get; private set; }

    /// <summary>Maps over the prepared image, as <see cref="AnomalyMap.ToPixels"/> of the distances.</summary>
    /// <param name="prepared">Shape <c>(count, 3, PreparedSize.Height, PreparedSize.Width)</c>, normalised.</param>
    /// <param name="count">Images in the batch, at least 1.</param>
    /// <param name="maps">One an image.</param>
    /// <returns>False once this is disposed; nothing was done then.</returns>
    /// <exception cref="OnnxRuntimeException">The graphs do not run on this input, or the device has no room for
    /// it.</exception>
    public bool TryScore(float[] prepared, int count, [NotNullWhen(true)] out AnomalyMap[]? maps)
    {
        maps = null;
        lock (_gate)
        {
            if (_closed)
                return false;
            _running++;
        }
        try
        {
            maps = Score(prepared, count);
            return true;
        }
        finally
        {
            bool last;
            lock (_gate)
                last = --_running == 0 && _closed;
            if (last)
                Free();
        }
    }

    /// <summary>Runs that have begun end as they would; the device's memory goes with the last of them.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            _closed = true;
            if (_running > 0)
                return;
        }
        Free();
    }

    private AnomalyMap[] Score(float[] prepared, int count)
    {
        using var batch = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance,
            prepared.AsMemory(0, count * 3 * PreparedSize.Positions),
            [count, 3, PreparedSize.Height, PreparedSize.Width]
        );
        using var extraction = _backbone.Session.CreateIoBinding();
        extraction.BindInput(_backbone.Session.InputNames[0], batch);
        _statistics.BindTo(extraction, _backbone.Session);
        foreach (var tap in _backbone.Session.OutputNames)
            extraction.BindOutputToDevice(tap, _device);
        extraction.SynchronizeBoundInputs();
        _backbone.Session.RunWithBinding(_options, extraction);
        // The sessions have streams of their own: features must be whole before the other one reads them.
        extraction.SynchronizeBoundOutputs();
        using var features = extraction.GetOutputValues();

        using var binding = _scoring.CreateIoBinding();
        for (var l = 0; l < features.Count; l++)
            binding.BindInput(ScoringGraph.FeaturesOf(l), features[l]);
        _statistics.BindTo(binding, _scoring);
        binding.BindOutputToDevice(ScoringGraph.Map, _host);
        _scoring.RunWithBinding(_options, binding);
        binding.SynchronizeBoundOutputs();
        using var outputs = binding.GetOutputValues();
        return Split(outputs[0].GetTensorDataAsSpan<float>(), count);
    }

    private void Free()
    {
        IsFreed = true;
        _statistics.Dispose();
        _options.Dispose();
        _device.Dispose();
        _host.Dispose();
    }

    private AnomalyMap[] Split(ReadOnlySpan<float> maps, int count)
    {
        var split = new AnomalyMap[count];
        for (var i = 0; i < count; i++)
            split[i] = new AnomalyMap(
                PreparedSize,
                maps.Slice(i * PreparedSize.Positions, PreparedSize.Positions).ToArray()
            );
        return split;
    }
}
