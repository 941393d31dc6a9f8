using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;

namespace PaDiM.Onnx.Backbones;

/// <summary>What a backbone gave for a batch, still in the runtime's own memory. Owner of that memory.</summary>
public sealed class BackboneFeatures : IDisposable
{
    private readonly IDisposableReadOnlyCollection<OrtValue> outputs;
    private readonly (int Channels, Grid Grid, Memory<float> Values)[] taps;

    internal BackboneFeatures(IDisposableReadOnlyCollection<OrtValue> outputs)
    {
        this.outputs = outputs;
        taps = [.. outputs.Select(Describe)];
    }

    /// <summary>The maps of one image of the batch, in the order of the taps.</summary>
    public IReadOnlyList<FeatureMap> this[int image] =>
    [
        .. taps.Select(tap => new FeatureMap(tap.Values.Slice(image * tap.Channels * tap.Grid.Positions, tap.Channels * tap.Grid.Positions), tap.Channels, tap.Grid)),
    ];

    /// <inheritdoc/>
    public void Dispose() => outputs.Dispose();

    private static (int, Grid, Memory<float>) Describe(OrtValue output)
    {
        var shape = output.GetTensorTypeAndShape().Shape;
        if (shape.Length != 4) throw new InvalidDataException($"a tap has {shape.Length} axes; feature maps have four, (n, channels, h, w)");
        return ((int)shape[1], new Grid((int)shape[2], (int)shape[3]), new NativeMemory(output).Memory);
    }

    /// <summary>A view of a tensor that ONNX Runtime owns: no copy is made.</summary>
    private sealed unsafe class NativeMemory : MemoryManager<float>
    {
        private readonly float* start;
        private readonly int length;

        public NativeMemory(OrtValue tensor)
        {
            var values = tensor.GetTensorMutableDataAsSpan<float>();
            length = values.Length;
            start = (float*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref values.GetPinnableReference());
        }

        public override Span<float> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
