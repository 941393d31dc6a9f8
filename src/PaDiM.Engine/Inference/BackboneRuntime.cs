using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Engine.Inference;

/// <summary>Which device sessions ask for.</summary>
public enum DevicePreference
{
    /// <summary>CUDA where the runtime has it and a device answers, the CPU otherwise.</summary>
    Auto,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>CUDA or nothing.</summary>
    Cuda,
}

/// <summary>
/// The device and the threads that backbone sessions really use, settled once when the program starts. Immutable.
/// </summary>
public sealed class BackboneRuntime
{
    private const string CudaProvider = "CUDAExecutionProvider",
        TensorRtProvider = "TensorrtExecutionProvider";

    private BackboneRuntime(string device, string executionProvider, int threads, bool scoresOnDevice)
    {
        Device = device;
        ExecutionProvider = executionProvider;
        Threads = threads;
        ScoresOnDevice = scoresOnDevice;
        Processors = device == "cpu" ? AffinityScheduler.FindForThreads(threads) : null;
    }

    /// <summary>Where tensors lie that the host does not see.</summary>
    internal OrtMemoryInfo CreateMemoryInfo() =>
        new(
            Device == "cuda" ? OrtMemoryInfo.allocatorCUDA : OrtMemoryInfo.allocatorCPU,
            OrtAllocatorType.DeviceAllocator,
            0,
            OrtMemType.Default
        );

    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; }

    /// <summary>ONNX Runtime's name of the provider in use.</summary>
    public string ExecutionProvider { get; }

    /// <summary>Threads of one inference, and of the kernels around it.</summary>
    public int Threads { get; }

    /// <summary>
    /// Distances are computed where the backbone runs, by a graph; otherwise on the host, by kernels. On the CPU the
    /// kernels are quicker and need half the memory.
    /// </summary>
    internal bool ScoresOnDevice { get; }

    /// <summary>Where the threads of an inference are bound to; null where the system spreads them.</summary>
    private AffinityScheduler? Processors { get; }

    /// <summary>The same, with the CPU taken for a device: what runs on CUDA can be followed on any machine.</summary>
    internal BackboneRuntime WithDeviceScoring() => new(Device, ExecutionProvider, Threads, scoresOnDevice: true);

    /// <summary>The same on one thread, that of the caller.</summary>
    internal BackboneRuntime WithOneThread() => new(Device, ExecutionProvider, threads: 1, ScoresOnDevice);

    /// <summary>Settles the device.</summary>
    /// <param name="preference">What is asked for.</param>
    /// <param name="threads">Threads; 0 for one a core.</param>
    /// <param name="tensorRt">Let TensorRT take the parts of graphs that it can, and CUDA the rest.</param>
    /// <exception cref="PlatformNotSupportedException">CUDA or TensorRT was demanded and is not to be had; the message
    /// says why.</exception>
    public static BackboneRuntime Create(DevicePreference preference, int threads = 0, bool tensorRt = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        var cores = threads > 0 ? threads : Environment.ProcessorCount;
        var cuda = preference == DevicePreference.Cpu ? "the device is 'cpu'" : GetCudaFault();
        if (tensorRt && (cuda ?? GetTensorRtFault()) is { } missing)
            throw new PlatformNotSupportedException(
                $"TensorRT was demanded, but {missing}. Do without it, or use the GPU build on a machine with an NVIDIA driver and TensorRT."
            );
        if (cuda is null)
            return new BackboneRuntime("cuda", tensorRt ? TensorRtProvider : CudaProvider, cores, scoresOnDevice: true);
        if (preference == DevicePreference.Cuda)
            throw new PlatformNotSupportedException(
                $"The device 'cuda' was demanded, but {cuda}. Use 'auto' or 'cpu', or the GPU build on a machine with an NVIDIA driver."
            );
        return new BackboneRuntime("cpu", "CPUExecutionProvider", cores, scoresOnDevice: false);
    }

    /// <summary>For loops beside the backbone: as many threads, of the caller's scheduler.</summary>
    public ParallelOptions InParallel(CancellationToken cancellation = default) =>
        new()
        {
            MaxDegreeOfParallelism = Threads,
            CancellationToken = cancellation,
            TaskScheduler = null,
        };

    /// <summary>
    /// Keeps the calling thread where the other threads of a lone image are not; free where it computes for a scheduler
    /// of its own, such as one of low priority.
    /// </summary>
    internal AffinityScheduler.Binding BindCaller() =>
        TaskScheduler.Current == TaskScheduler.Default && Processors is { } processors
            ? processors.BindCaller()
            : default;

    /// <summary>Opens a graph on this device.</summary>
    public InferenceSession CreateSession(byte[] onnx)
    {
        using var options = CreateSessionOptions();
        return new InferenceSession(onnx, options);
    }

    /// <summary>Session options for this device. TF32 is off, so that scores agree with the CPU's.</summary>
    /// <param name="onlyHolds">The session holds tensors and computes nothing: it takes as much memory as it is asked
    /// for, and TensorRT has no part in it.</param>
    internal SessionOptions CreateSessionOptions(bool onlyHolds = false)
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = Threads,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        // Idle workers must not spin: the kernels around the backbone use the same cores.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (Processors is { } bound)
            options.AddSessionConfigEntry("session.intra_op_thread_affinities", bound.WorkerProcessors);
        // The provider that is appended first takes what it can.
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
        if (!OrtEnv.Instance().GetAvailableProviders().Contains(provider))
            return provider == CudaProvider
                ? "this build carries ONNX Runtime for the CPU only"
                : $"this build carries ONNX Runtime without {name}";
        try
        {
            using var options = new SessionOptions();
            append(options);
            return null;
        }
        catch (OnnxRuntimeException e)
        {
            return $"ONNX Runtime could not start {name} ({e.Message})";
        }
    }
}
