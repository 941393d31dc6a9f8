using PaDiM.Core.Geometry;
using PaDiM.Engine.Inference;
using PaDiM.Engine.TestSupport;

namespace PaDiM.Backbones.Tests.Support;

/// <summary>The first output of a graph for one image.</summary>
internal sealed class GraphSessionRun
{
    public GraphSessionRun(byte[] onnx, float[] pixels, int size)
    {
        using var session = new GraphSession(onnx, BackboneFolder.Cpu);
        session.Run(pixels, new Grid(size, size), (_, _, values) => Output ??= values.ToArray());
    }

    public float[]? Output { get; private set; }
}
