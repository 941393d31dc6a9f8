using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Engine.Inference;

/// <summary>
/// One graph open in ONNX Runtime: on all threads for an image alone, and on one thread for images that run side by
/// side. Each is opened when it is first asked for, and the graph let go with the last. Thread-safe.
/// </summary>
/// <param name="runtime">Device and threads.</param>
/// <param name="onnx">The graph.</param>
internal sealed class BackboneSessions(BackboneRuntime runtime, byte[] onnx) : IDisposable
{
    private readonly Lock _opening = new();
    private byte[]? _unopened = onnx;
    private InferenceSession? _onAllThreads,
        _onOneThread;

    /// <summary>On all threads. It starts threads, which have the priority of who asks first.</summary>
    public InferenceSession OnAllThreads => Open(ref _onAllThreads, () => runtime);

    /// <summary>On the thread of the caller.</summary>
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
