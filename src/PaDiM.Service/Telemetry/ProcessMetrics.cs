using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Inference;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Telemetry;

/// <summary>Instruments of the process and its use of the machine.</summary>
internal sealed class ProcessMetrics
{
    public ProcessMetrics(
        IMeterFactory meters,
        BackboneRuntime runtime,
        BackboneRegistry backbones,
        DiskSpace disk,
        IOptions<RoleOptions> role
    )
    {
        var meter = meters.Create(Instruments.Name);
        var build = new Measurement<long>(
            1,
            Instruments.Tag("version", ServiceVersion.Current),
            Instruments.Tag("device", runtime.Device),
            Instruments.Tag("onnxruntime", OnnxRuntimeLibrary.Version),
            Instruments.Tag("role", role.Value.Effective.ToString().ToLowerInvariant())
        );
        meter.CreateObservableGauge(
            "padim.build.info",
            () => build,
            null,
            "Always 1; the labels hold the version, the device, the ONNX Runtime version and the role of the replica."
        );
        meter.CreateObservableGauge(
            "padim.backbone.open",
            () => backbones.OpenNames.Select(name => new Measurement<long>(1, Instruments.Tag("backbone", name))),
            null,
            "1 for every backbone with an open session."
        );
        meter.CreateObservableGauge(
            "padim.disk.free",
            () => disk.Free,
            "By",
            "Free bytes on the file system of the data directory."
        );
        meter.CreateObservableGauge(
            "padim.disk.size",
            () => disk.Size,
            "By",
            "Size of the file system of the data directory."
        );
        meter.CreateObservableGauge(
            "padim.process.resident_memory",
            () => Environment.WorkingSet,
            "By",
            "Working set of the process."
        );
        meter.CreateObservableGauge(
            "padim.process.managed_heap",
            () => GC.GetTotalMemory(forceFullCollection: false),
            "By",
            "Size of the managed heap."
        );
        meter.CreateObservableGauge(
            "padim.process.handles",
            () => Read(process => process.HandleCount),
            null,
            "Open handles; on Linux, open files and sockets."
        );
        meter.CreateObservableGauge(
            "padim.process.threads",
            () => Read(process => process.Threads.Count),
            null,
            "Number of threads of the process."
        );
        var started = Read(process => new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds()) / 1000.0;
        meter.CreateObservableGauge(
            "padim.process.start_time",
            () => started,
            "s",
            "Start time of the process, in seconds since 1970."
        );
    }

    private static T Read<T>(Func<Process, T> read)
    {
        using var process = Process.GetCurrentProcess();
        return read(process);
    }
}
