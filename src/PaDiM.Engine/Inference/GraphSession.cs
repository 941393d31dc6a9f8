using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Geometry;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Opens a graph in ONNX Runtime to look inside a network: outputs of any rank are read by name. Not thread-safe.
/// </summary>
internal sealed class GraphSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();

    public GraphSession(byte[] onnx, BackboneRuntime runtime) => _session = runtime.CreateSession(onnx);

    /// <summary>Reads one output of a run.</summary>
    /// <param name="name">Name of the output.</param>
    /// <param name="channels">Extent of its second axis.</param>
    /// <param name="values">Its values, valid during the call.</param>
    public delegate void Reader(string name, int channels, ReadOnlySpan<float> values);

    /// <summary>Runs the graph on one image.</summary>
    /// <param name="prepared">Shape <c>(3, size.Height, size.Width)</c>.</param>
    /// <param name="size">Prepared size in pixels.</param>
    /// <param name="read">Called once per output.</param>
    public void Run(float[] prepared, Grid size, Reader read)
    {
        using var image = OrtValue.CreateTensorValueFromMemory(prepared, [1, 3, size.Height, size.Width]);
        using var outputs = _session.Run(_options, _session.InputNames, [image], _session.OutputNames);
        for (var i = 0; i < outputs.Count; i++)
            read(
                _session.OutputNames[i],
                (int)outputs[i].GetTensorTypeAndShape().Shape.ElementAtOrDefault(1),
                outputs[i].GetTensorDataAsSpan<float>()
            );
    }

    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }
}
