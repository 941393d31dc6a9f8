using Microsoft.ML.OnnxRuntime;
using PaDiM.Backbones.Quantisation;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging;
using PaDiM.TestSupport;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>Quantises small graphs over images of noise.</summary>
internal static class Quantising
{
    public static readonly QuantisationSettings Chosen = new(),
        Everything = Chosen with { FloatStem = false, FloatTaps = false };

    private const string TapNamedTap = """{ "taps": [{ "tensor": "tap" }] }""";

    public static Func<RgbImage>[] Images(int count = 20) =>
        [.. Enumerable.Range(0, count).Select(seed => (Func<RgbImage>)(() => Samples.Noise(40, 40, seed)))];

    public static QuantisedBackbone Quantise(
        OnnxGraph graph,
        QuantisationSettings? settings = null,
        string? manifest = null
    ) => Quantise(graph.ToArray(), settings, manifest);

    public static QuantisedBackbone Quantise(
        byte[] graph,
        QuantisationSettings? settings = null,
        string? manifest = null
    )
    {
        using var folder = new BackboneFolder();
        folder.Put("net", graph, manifest ?? TapNamedTap);
        using var quantiser = new BackboneQuantiser(folder.Registry.Directories.Find("net")!, BackboneFolder.Cpu);
        return quantiser.Run(Images(), settings ?? Chosen, _ => { }, CancellationToken.None);
    }

    public static GraphProto GraphOf(QuantisedBackbone made) => GraphEditor.Open(made.Onnx).Graph;

    /// <summary>Operators that ONNX Runtime really runs, after its own fusions.</summary>
    public static string[] KernelsOf(byte[] onnx)
    {
        using var folder = new TempDirectory();
        using (var options = OnnxRuntimeLibrary.CreateOptions())
        {
            options.OptimizedModelFilePath = folder.Combine("run.onnx");
            options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED;
            OnnxRuntimeLibrary.OpenSession(onnx, options).Dispose();
        }
        return
        [
            .. GraphEditor.Open(File.ReadAllBytes(folder.Combine("run.onnx"))).Graph.Node.Select(node => node.OpType),
        ];
    }
}
