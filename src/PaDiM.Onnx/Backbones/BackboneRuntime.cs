using Microsoft.ML.OnnxRuntime;

namespace PaDiM.Onnx.Backbones;

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

/// <summary>The device and the threads that backbone sessions really use, settled once when the program starts. Immutable.</summary>
public sealed class BackboneRuntime
{
    private const string CudaProvider = "CUDAExecutionProvider";

    private BackboneRuntime(string device, string executionProvider, int threads) => (Device, ExecutionProvider, Threads) = (device, executionProvider, threads);

    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; }

    /// <summary>ONNX Runtime's name of the provider in use.</summary>
    public string ExecutionProvider { get; }

    /// <summary>Threads of one inference, and of the kernels around it.</summary>
    public int Threads { get; }

    /// <summary>Settles the device.</summary>
    /// <param name="preference">What is asked for.</param>
    /// <param name="threads">Threads; 0 for one a core.</param>
    /// <exception cref="PlatformNotSupportedException">CUDA was demanded and is not to be had; the message says why.</exception>
    public static BackboneRuntime Create(DevicePreference preference, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        var cores = threads > 0 ? threads : Environment.ProcessorCount;
        var cuda = preference == DevicePreference.Cpu ? "not asked for" : WhyNoCuda();
        if (cuda is null) return new BackboneRuntime("cuda", CudaProvider, cores);
        if (preference == DevicePreference.Cuda) throw new PlatformNotSupportedException($"The device 'cuda' was demanded, but {cuda}. Use 'auto' or 'cpu', or the GPU build on a machine with an NVIDIA driver.");
        return new BackboneRuntime("cpu", "CPUExecutionProvider", cores);
    }

    /// <summary>Opens a graph on this device.</summary>
    public InferenceSession CreateSession(byte[] onnx)
    {
        using var options = CreateSessionOptions();
        return new InferenceSession(onnx, options);
    }

    /// <summary>Session options for this device. TF32 is off, so that scores agree with the CPU's.</summary>
    internal SessionOptions CreateSessionOptions()
    {
        var options = new SessionOptions { IntraOpNumThreads = Threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        // Idle workers must not spin: the kernels around the backbone use the same cores.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (Device == "cuda") AppendCuda(options);
        return options;
    }

    private static void AppendCuda(SessionOptions options)
    {
        using var cuda = new OrtCUDAProviderOptions();
        cuda.UpdateOptions(new Dictionary<string, string> { ["use_tf32"] = "0", ["cudnn_conv_algo_search"] = "HEURISTIC" });
        options.AppendExecutionProvider_CUDA(cuda);
    }

    private static string? WhyNoCuda()
    {
        if (!OrtEnv.Instance().GetAvailableProviders().Contains(CudaProvider)) return "this build carries ONNX Runtime for the CPU only";
        try
        {
            using var options = new SessionOptions();
            AppendCuda(options);
            return null;
        }
        catch (OnnxRuntimeException e)
        {
            return $"ONNX Runtime could not start CUDA ({e.Message})";
        }
    }
}
