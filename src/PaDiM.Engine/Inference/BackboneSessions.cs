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
    private InferenceSession? _together,
        _apart;

    /// <summary>On all threads. It starts threads, which have the priority of who asks first.</summary>
    public InferenceSession Together => Open(ref _together, () => runtime);

    /// <summary>On the thread of the caller.</summary>
    public InferenceSession Apart => Open(ref _apart, runtime.OnOneThread);

    public void Dispose()
    {
        _together?.Dispose();
        _apart?.Dispose();
    }

    private InferenceSession Open(ref InferenceSession? session, Func<BackboneRuntime> on)
    {
        lock (_opening)
        {
            session ??= on().CreateSession(_unopened!);
            if (_together is not null && _apart is not null)
                _unopened = null;
            return session;
        }
    }
}
