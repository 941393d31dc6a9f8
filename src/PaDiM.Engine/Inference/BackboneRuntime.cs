using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Engine.Inference;

/// <summary>Specifies the device that sessions use.</summary>
public enum DevicePreference
{
    /// <summary>CUDA if this build has it and a device responds, otherwise the CPU.</summary>
    Auto,

    /// <summary>The CPU, even if there is a GPU.</summary>
    Cpu,

    /// <summary>CUDA; it is an error if it cannot be used.</summary>
    Cuda,
}

/// <summary>
/// Represents the device and the number of threads of backbone sessions, chosen once when the program starts.
/// Immutable.
/// </summary>
public sealed class BackboneRuntime
{
    private const string CudaProvider = "CUDAExecutionProvider";
    private const string TensorRtProvider = "TensorrtExecutionProvider";

    private BackboneRuntime(string device, string executionProvider, int threads, bool scoresOnDevice)
    {
        Device = device;
        ExecutionProvider = executionProvider;
        Threads = threads;
        ScoresOnDevice = scoresOnDevice;
        Processors = device == "cpu" ? AffinityScheduler.FindForThreads(threads) : null;
    }

    /// <summary>Creates the description of the device's memory.</summary>
    internal OrtMemoryInfo CreateMemoryInfo() =>
        new(
            Device == "cuda" ? OrtMemoryInfo.allocatorCUDA : OrtMemoryInfo.allocatorCPU,
            OrtAllocatorType.DeviceAllocator,
            0,
            OrtMemType.Default
        );

    /// <summary>Gets the device: <c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; }

    /// <summary>Gets ONNX Runtime's name of the execution provider in use.</summary>
    public string ExecutionProvider { get; }

    /// <summary>Gets the number of threads of one inference, and of the kernels around it.</summary>
    public int Threads { get; }

    /// <summary>
    /// Gets why the CPU is used by a build that has CUDA, if the device was left open; null otherwise.
    /// </summary>
    public string? FallbackReason { get; private init; }

    /// <summary>
    /// Gets whether a graph computes the distances on the backbone's device. Otherwise kernels compute them on the
    /// host: on the CPU the kernels are faster and need half the memory.
    /// </summary>
    internal bool ScoresOnDevice { get; }

    /// <summary>Gets what binds the threads of an inference; null where Linux places them.</summary>
    private AffinityScheduler? Processors { get; }

    /// <summary>
    /// Creates the same runtime with the CPU treated as a device, so that the CUDA path can be tested on any machine.
    /// </summary>
    internal BackboneRuntime WithDeviceScoring() => new(Device, ExecutionProvider, Threads, scoresOnDevice: true);

    /// <summary>Creates the same runtime with one thread, the caller's.</summary>
    internal BackboneRuntime WithOneThread() => new(Device, ExecutionProvider, threads: 1, ScoresOnDevice);

    /// <summary>Chooses the device.</summary>
    /// <param name="preference">The requested device.</param>
    /// <param name="threads">Number of threads; 0 for one per core.</param>
    /// <param name="tensorRt">Whether TensorRT runs the parts of a graph that it supports, and CUDA the rest.</param>
    /// <exception cref="PlatformNotSupportedException">CUDA or TensorRT was requested and is not available; the message
    /// says why.</exception>
    public static BackboneRuntime Create(DevicePreference preference, int threads = 0, bool tensorRt = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        var cores = threads > 0 ? threads : Environment.ProcessorCount;
        var cuda = preference == DevicePreference.Cpu ? "the device is 'cpu'" : GetCudaFault();
        if (tensorRt && (cuda ?? GetTensorRtFault()) is { } missing)
            throw new PlatformNotSupportedException(
                $"TensorRT was requested, but {missing}. Turn it off, or use the GPU build on a machine with an NVIDIA"
                    + " driver and TensorRT."
            );
        if (cuda is null)
            return new BackboneRuntime("cuda", tensorRt ? TensorRtProvider : CudaProvider, cores, scoresOnDevice: true);
        if (preference == DevicePreference.Cuda)
            throw new PlatformNotSupportedException(
                $"The device 'cuda' was requested, but {cuda}. Use 'auto' or 'cpu', or use the GPU build on a machine"
                    + " with an NVIDIA driver."
            );
        return new BackboneRuntime("cpu", "CPUExecutionProvider", cores, scoresOnDevice: false)
        {
            FallbackReason =
                preference == DevicePreference.Auto && OnnxRuntimeLibrary.Providers.Contains(CudaProvider)
                    ? cuda
                    : null,
        };
    }

    /// <summary>
    /// Binds the calling thread to the processor that no other thread of the inference uses, if the context allows it.
    /// </summary>
    internal AffinityScheduler.Binding BindCaller(ComputeContext compute) =>
        compute.BindsCaller && Processors is { } processors ? processors.BindCaller() : default;

    /// <summary>Opens a graph on this device.</summary>
    public InferenceSession CreateSession(byte[] onnx)
    {
        using var options = CreateSessionOptions();
        return OnnxRuntimeLibrary.OpenSession(onnx, options);
    }

    /// <summary>Creates session options for this device. TF32 is off, so that scores agree with the CPU's.</summary>
    /// <param name="onlyHolds">Whether the session only holds tensors and computes nothing: it then allocates exactly
    /// what it is asked for, and does not use TensorRT.</param>
    internal SessionOptions CreateSessionOptions(bool onlyHolds = false)
    {
        var options = OnnxRuntimeLibrary.CreateOptions();
        options.IntraOpNumThreads = Threads;
        options.InterOpNumThreads = 1;
        // Idle workers must not spin, because the kernels around the backbone use the same cores.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (Processors is { HasItsProcessors: true } bound)
            options.AddSessionConfigEntry("session.intra_op_thread_affinities", bound.WorkerProcessors);
        // ONNX Runtime offers each node to the providers in the order in which they were appended.
        if (ExecutionProvider == TensorRtProvider && !onlyHolds)
            AppendTensorRt(options);
        if (Device == "cuda")
            AppendCuda(options, onlyHolds ? "kSameAsRequested" : "kNextPowerOfTwo");
        return options;
    }

    private static void AppendCuda(SessionOptions options, string growth)
    {
        using var cuda = new OrtCUDAProviderOptions();
        cuda.UpdateOptions(
            new Dictionary<string, string>
            {
                ["use_tf32"] = "0",
                ["cudnn_conv_algo_search"] = "HEURISTIC",
                ["arena_extend_strategy"] = growth,
            }
        );
        options.AppendExecutionProvider_CUDA(cuda);
    }

    private static void AppendTensorRt(SessionOptions options)
    {
        using var tensorRt = new OrtTensorRTProviderOptions();
        tensorRt.UpdateOptions(new Dictionary<string, string> { ["trt_fp16_enable"] = "0" });
        options.AppendExecutionProvider_Tensorrt(tensorRt);
    }

    private static string? GetTensorRtFault() => GetProviderFault(TensorRtProvider, "TensorRT", AppendTensorRt);

    private static string? GetCudaFault() =>
        GetProviderFault(CudaProvider, "CUDA", options => AppendCuda(options, "kNextPowerOfTwo"));

    private static string? GetProviderFault(string provider, string name, Action<SessionOptions> append)
    {
        if (!OnnxRuntimeLibrary.Providers.Contains(provider))
            return provider == CudaProvider
                ? "this build contains ONNX Runtime for the CPU only"
                : $"this build contains ONNX Runtime without {name}";
        try
        {
            using var options = OnnxRuntimeLibrary.CreateOptions();
            append(options);
            return null;
        }
        catch (OnnxRuntimeException e)
        {
            return $"ONNX Runtime could not start {name} ({e.Message.ReplaceLineEndings(" ").Trim()})";
        }
    }
}
