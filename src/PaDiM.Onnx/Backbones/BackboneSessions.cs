using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Onnx.Backbones;

/// <summary>
/// One graph open in ONNX Runtime: on all threads for an image alone, and on one thread for images that run side by side. Each is opened when it is first asked for, and
/// the graph let go with the last. Thread-safe.
/// </summary>
/// <param name="runtime">Device and threads.</param>
/// <param name="onnx">The graph.</param>
internal sealed class BackboneSessions(BackboneRuntime runtime, byte[] onnx) : IDisposable
{
    private readonly Lock opening = new();
    private byte[]? unopened = onnx;
    private InferenceSession? together, apart;

    /// <summary>On all threads. It starts threads, which have the priority of who asks first.</summary>
    public InferenceSession Together => Open(ref together, () => runtime);

    /// <summary>On the thread of the caller.</summary>
    public InferenceSession Apart => Open(ref apart, runtime.OnOneThread);

    public void Dispose()
    {
        together?.Dispose();
        apart?.Dispose();
    }

    private InferenceSession Open(ref InferenceSession? session, Func<BackboneRuntime> on)
    {
        lock (opening)
        {
            session ??= on().CreateSession(unopened!);
            if (together is not null && apart is not null) unopened = null;
            return session;
        }
    }
}
