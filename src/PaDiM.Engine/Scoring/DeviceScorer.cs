using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Scores prepared images entirely on the runtime's device: the statistics are there already, features pass from the
/// backbone to the scoring graph without a copy to the host, and only maps come back. With the CPU as the device, the
/// same path runs in the host's memory. Owns the statistics on the device, but neither the backbone nor the scoring
/// graph's session, which models of equal shapes share. Thread-safe.
/// </summary>
/// <remarks>
/// Images are aligned while they are prepared, before this, and maps are moved back into the image's frame after it.
/// Runs are counted: the last run that began before the scorer was disposed frees the device's memory, which is
/// therefore neither used after it was freed nor kept for too long.
/// </remarks>
internal sealed class DeviceScorer : IDisposable
{
    private readonly Backbone _backbone;
    private readonly InferenceSession _scoring;
    private readonly DeviceStatistics _statistics;
    private readonly OrtMemoryInfo _device;
    private readonly OrtMemoryInfo _host = new(
        OrtMemoryInfo.allocatorCPU,
        OrtAllocatorType.DeviceAllocator,
        0,
        OrtMemType.Default
    );
    private readonly RunOptions _options = new();
    private readonly Grid _mapSize;
    private readonly Lock _gate = new();
    private int _running;
    private bool _closed;

    /// <summary>
    /// Runs the backbone once to measure its grids, builds the graph, and copies the statistics to the device.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backbone">The network that the model was fitted with, byte for byte; must outlive the
    /// scorer.</param>
    /// <exception cref="InvalidDataException">The model was fitted with another network, or its statistics are too
    /// large for one tensor in the host's memory.</exception>
    /// <exception cref="OnnxRuntimeException">The device is out of memory.</exception>
    public DeviceScorer(PadimModel model, Backbone backbone)
    {
        if (!model.Backbone.IsSameAs(backbone.Identity))
            throw new InvalidDataException(
                $"The model was fitted with another file, other taps or another normalisation of the backbone"
                    + $" '{model.Backbone.Name}' (SHA-256 {model.Backbone.Sha256})."
            );
        var gaussians = model.Distribution.GaussianCount;
        var d = model.Distribution.Dimensions;
        if ((long)gaussians * d * d > Array.MaxLength)
            throw new InvalidDataException($"{gaussians} whitening factors of {d} x {d} values do not fit one tensor.");
        _backbone = backbone;
        PreparedSize = model.Settings.GetPreparedSize();
        _mapSize = model.Settings.Aspect == AspectMode.Letterbox ? model.Distribution.Grid : PreparedSize;
        _device = backbone.Runtime.CreateMemoryInfo();
        _scoring = backbone.GetDownstreamSession(
            new ScoringGraph(model, backbone.MeasureTapGrids(PreparedSize)).ToArray()
        );
        _statistics = new DeviceStatistics(model, backbone);
    }

    /// <summary>Gets the shape of a prepared image, in pixels.</summary>
    public Grid PreparedSize { get; }

    /// <summary>
    /// Gets the bytes of device memory that the model uses until the scorer is disposed. The features of a run come on
    /// top.
    /// </summary>
    public long DeviceBytes => _statistics.Bytes;

    /// <summary>Gets whether the device's memory has been freed.</summary>
    public bool IsFreed { get; private set; }

    /// <summary>
    /// Computes the maps over the prepared images, as <see cref="AnomalyMap.ToPixels"/> does from the distances. For a
    /// letterbox it computes the distances.
    /// </summary>
    /// <param name="prepared">Shape <c>(count, 3, PreparedSize.Height, PreparedSize.Width)</c>, normalised.</param>
    /// <param name="count">Images in the batch, at least 1.</param>
    /// <param name="maps">One map per image.</param>
    /// <returns>False if the scorer has been disposed.</returns>
    /// <exception cref="OnnxRuntimeException">The graphs do not run on this input, or the device is out of
    /// memory.</exception>
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

    /// <summary>Frees the device's memory when the last of the runs in progress has ended.</summary>
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
        _statistics.BindInputs(extraction, _backbone.Session);
        foreach (var tap in _backbone.Session.OutputNames)
            extraction.BindOutputToDevice(tap, _device);
        extraction.SynchronizeBoundInputs();
        _backbone.Session.RunWithBinding(_options, extraction);
        // Each session has a CUDA stream of its own: wait for the features before the other session reads them.
        extraction.SynchronizeBoundOutputs();
        using var features = extraction.GetOutputValues();

        using var binding = _scoring.CreateIoBinding();
        for (var l = 0; l < features.Count; l++)
            binding.BindInput(ScoringGraph.GetFeaturesName(l), features[l]);
        _statistics.BindInputs(binding, _scoring);
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
            split[i] = new AnomalyMap(_mapSize, maps.Slice(i * _mapSize.Positions, _mapSize.Positions).ToArray());
        return split;
    }
}
