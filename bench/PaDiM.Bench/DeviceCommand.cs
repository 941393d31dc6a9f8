using System.CommandLine;
using System.Diagnostics;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Scoring;

namespace PaDiM.Bench;

/// <summary>
/// Compares scores on a device with those of the CPU, and measures the device: latency and images per second by batch,
/// and its memory. Meant for one short run on a machine with a GPU (<c>tests/gpu</c>).
/// </summary>
internal static class DeviceCommand
{
    /// <summary>The largest difference of scores and pixels, relative to the score.</summary>
    private const double Tolerance = 1e-3;

    private static readonly int[] Batches = [1, 4, 16, 32];

    private static readonly Option<string> Device = new("--device")
    {
        Description = "cuda, or cpu: the CPU in the device's place, which shows that the run works.",
        DefaultValueFactory = _ => "cuda",
    };

    private static readonly Option<bool> TensorRt = new("--tensorrt") { Description = "Use TensorRT on the device." };

    private static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "Seconds per batch size.",
        DefaultValueFactory = _ => 5,
    };

    public static Command Create()
    {
        var command = Workbench.CreateCommand(
            "device",
            "Compare scores on a GPU with those of the CPU, and measure its speed and memory.",
            (workbench, arguments) =>
            {
                Run(workbench, arguments);
                return Task.CompletedTask;
            }
        );
        command.Add(Device);
        command.Add(TensorRt);
        command.Add(Seconds);
        Device.AcceptOnlyFromAmong("cuda", "cpu");
        return command;
    }

    private static void Run(Workbench workbench, ParseResult arguments)
    {
        var runtime =
            arguments.GetValue(Device) == "cuda"
                ? BackboneRuntime.Create(DevicePreference.Cuda, tensorRt: arguments.GetValue(TensorRt))
                : BackboneRuntime.Create(DevicePreference.Cpu).WithDeviceScoring();
        var devices = new BackboneRegistry([workbench.BackboneDirectory], runtime);
        Console.WriteLine($"{runtime.Device}, {runtime.ExecutionProvider}, ONNX Runtime {OnnxRuntimeLibrary.Version}");
        var table = new ReportTable(
            "backbone",
            "images at a time",
            "p50, ms",
            "p95, ms",
            "p99, ms",
            "images per second",
            "device memory of the model, MiB"
        );
        var largest = 0.0;
        foreach (
            var name in workbench.Registry.Directories.Find("resnet18") is null
                ? ["tiny"]
                : new[] { "tiny", "resnet18" }
        )
        {
            var host = new ModelScorer(workbench.Fit(name), workbench.Open(name));
            using var device = ModelScorer.Open(host.Model, devices.Open(name));
            largest = Math.Max(largest, Compare(workbench, host, device));
            foreach (var batch in Batches)
            {
                var times = Measure(device, batch, arguments.GetValue(Seconds));
                table.Add([
                    name,
                    $"{batch}",
                    .. times.ToCells(),
                    ReportTable.Format(1000 * batch / times.Median),
                    ReportTable.Format(device.DeviceBytes / (double)(1 << 20)),
                ]);
            }
        }
        table.Print("From prepared images in the host's memory to maps in the host's memory:");
        Console.WriteLine();
        Console.WriteLine($"Largest difference from the CPU, relative to the score: {largest:g3}");
        if (!(largest <= Tolerance))
            throw new InvalidOperationException($"The device deviates from the CPU by more than {Tolerance}.");
    }

    /// <summary>Gets the largest difference of any pixel of any image, relative to the image's score.</summary>
    private static double Compare(Workbench workbench, ModelScorer host, ModelScorer device)
    {
        var largest = 0.0;
        var compute = Engine.ComputeContext.OnThreadPool(host.Runtime.Threads);
        foreach (var image in workbench.Images)
        {
            var expected = host.Score(image, compute);
            var actual = device.Score(image, compute);
            var score = host.GetScore(expected, host.CreateFrame(new Grid(image.Height, image.Width)));
            for (var i = 0; i < expected.Values.Length; i++)
                largest = Math.Max(largest, Math.Abs(expected.Values[i] - actual.Values[i]) / score);
        }
        return largest;
    }

    private static Times Measure(ModelScorer device, int batch, double seconds)
    {
        var prepared = new float[batch * device.Embedder.PreparedLength];
        var random = new Random(1);
        foreach (ref var value in prepared.AsSpan())
            value = 4 * random.NextSingle() - 2;
        var times = new Times();
        // The first runs allocate, and choose the device's algorithms for the shape.
        for (var i = 0; i < 3; i++)
            Score();
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; )
        {
            var started = Stopwatch.GetTimestamp();
            Score();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        return times;

        void Score()
        {
            if (!device.TryScoreOnDevice(prepared, batch, out _))
                throw new InvalidOperationException("The model is not on the device.");
        }
    }
}
