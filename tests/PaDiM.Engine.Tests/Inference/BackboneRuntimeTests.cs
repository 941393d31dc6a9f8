using PaDiM.Engine.Inference;

namespace PaDiM.Engine.Tests.Inference;

public sealed class BackboneRuntimeTests
{
    private static bool HasCuda => OnnxRuntimeLibrary.Providers.Contains("CUDAExecutionProvider");

    [Fact]
    public void The_cpu_is_used_when_asked_for()
    {
        var runtime = BackboneRuntime.Create(DevicePreference.Cpu, 3);
        Assert.Equal(("cpu", "CPUExecutionProvider", 3), (runtime.Device, runtime.ExecutionProvider, runtime.Threads));
        Assert.Equal(Environment.ProcessorCount, BackboneRuntime.Create(DevicePreference.Cpu).Threads);
    }

    [Fact]
    public void Cuda_that_is_not_to_be_had_is_refused_with_the_reason_and_auto_takes_the_cpu()
    {
        Assert.SkipWhen(HasCuda, "This build carries CUDA.");
        var message = Assert
            .Throws<PlatformNotSupportedException>(() => BackboneRuntime.Create(DevicePreference.Cuda))
            .Message;
        Assert.Contains("'cuda'", message, StringComparison.Ordinal);
        Assert.Contains("CPU only", message, StringComparison.Ordinal);
        var auto = BackboneRuntime.Create(DevicePreference.Auto);
        Assert.Equal("cpu", auto.Device);
        // This build has no GPU to fall back from.
        Assert.Null(auto.FallbackReason);
        foreach (var preference in new[] { DevicePreference.Auto, DevicePreference.Cpu })
            Assert.Contains(
                "TensorRT",
                Assert
                    .Throws<PlatformNotSupportedException>(() => BackboneRuntime.Create(preference, tensorRt: true))
                    .Message,
                StringComparison.Ordinal
            );
    }

    [Fact]
    public void A_negative_number_of_threads_is_an_error() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BackboneRuntime.Create(DevicePreference.Cpu, -1));
}
