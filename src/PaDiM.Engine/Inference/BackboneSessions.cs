using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Represents one graph open in two ONNX Runtime sessions: on all threads for a batch, and on one thread for images
/// that run side by side. Opens each on first use, and releases the graph's bytes once both are open. Thread-safe.
/// </summary>
/// <param name="runtime">Device and number of threads.</param>
/// <param name="onnx">The graph as an ONNX file.</param>
internal sealed class BackboneSessions(BackboneRuntime runtime, byte[] onnx) : IDisposable
{
    private readonly Lock _opening = new();
    private byte[]? _unopened = onnx;
    private InferenceSession? _onAllThreads;
    private InferenceSession? _onOneThread;

    /// <summary>
    /// Gets the session that uses all threads. It starts them on first use, with the priority of the calling thread.
    /// </summary>
    public InferenceSession OnAllThreads => Open(ref _onAllThreads, () => runtime);

    /// <summary>Gets the session that uses the calling thread only.</summary>
    public InferenceSession OnOneThread => Open(ref _onOneThread, runtime.WithOneThread);

    public void Dispose()
    {
        _onAllThreads?.Dispose();
        _onOneThread?.Dispose();
    }

    private InferenceSession Open(ref InferenceSession? session, Func<BackboneRuntime> on)
    {
        lock (_opening)
        {
            session ??= on().CreateSession(_unopened!);
            if (_onAllThreads is not null && _onOneThread is not null)
                _unopened = null;
            return session;
        }
    }
}
