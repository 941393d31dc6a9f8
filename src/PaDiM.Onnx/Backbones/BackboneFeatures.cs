using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;

namespace PaDiM.Onnx.Backbones;

/// <summary>What a backbone gave for a batch: its taps reduced to d dimensions, still in the runtime's own memory. Owner of that memory.</summary>
public sealed class BackboneFeatures : IDisposable
{
    private readonly IDisposableReadOnlyCollection<OrtValue> outputs;
    private readonly (Grid Grid, Memory<float> Values)[] taps;

    internal BackboneFeatures(IDisposableReadOnlyCollection<OrtValue> outputs, int dimensions)
    {
        (this.outputs, Dimensions) = (outputs, dimensions);
        taps = [.. outputs.Select(Describe)];
    }

    /// <summary>d.</summary>
    public int Dimensions { get; }

    /// <summary>The reduced maps of one image of the batch, in the order of the taps.</summary>
    public IReadOnlyList<FeatureMap> this[int image] =>
        [.. taps.Select(tap => new FeatureMap(tap.Values.Slice(image * tap.Grid.Positions * Dimensions, tap.Grid.Positions * Dimensions), tap.Grid))];

    /// <summary>The reduced taps of one image of the batch, valid until this is disposed.</summary>
    public ReducedTaps TapsOf(int image) => new(this[image], Dimensions);

    /// <summary>The embedding of one image of the batch.</summary>
    /// <param name="image">Which image.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <param name="reuse">An embedding that may be written over; null for a new one.</param>
    public PatchEmbedding Embed(int image, ParallelOptions? parallel = null, PatchEmbedding? reuse = null) => PatchEmbedding.Of(TapsOf(image), parallel, reuse);

    /// <inheritdoc/>
    public void Dispose() => outputs.Dispose();

    private static (Grid, Memory<float>) Describe(OrtValue output)
    {
        var shape = output.GetTensorTypeAndShape().Shape;
        return (new Grid((int)shape[1], (int)shape[2]), new NativeMemory(output).Memory);
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
