using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Engine.Inference;

/// <summary>
/// What a backbone gave for a batch: its taps reduced to d dimensions, still in the runtime's own memory. Owner of that
/// memory.
/// </summary>
public sealed class BackboneFeatures : IDisposable
{
    private readonly IReadOnlyList<IDisposableReadOnlyCollection<OrtValue>> _runs;
    private readonly FeatureMap[][] _images;

    internal BackboneFeatures(IReadOnlyList<IDisposableReadOnlyCollection<OrtValue>> runs, int dimensions)
    {
        _runs = runs;
        Dimensions = dimensions;
        _images = [.. runs.SelectMany(ImagesOf)];
    }

    /// <summary>d.</summary>
    public int Dimensions { get; }

    /// <summary>The reduced maps of one image of the batch, in the order of the taps.</summary>
    public IReadOnlyList<FeatureMap> this[int image] => _images[image];

    /// <summary>The reduced taps of one image of the batch, valid until this is disposed.</summary>
    public ReducedTaps TapsOf(int image) => new(this[image], Dimensions);

    /// <summary>The embedding of one image of the batch.</summary>
    /// <param name="image">Which image.</param>
    /// <param name="parallel">Degree of parallelism and cancellation; all cores when null.</param>
    /// <param name="reuse">An embedding that may be written over; null for a new one.</param>
    public PatchEmbedding Embed(int image, ParallelOptions? parallel = null, PatchEmbedding? reuse = null) =>
        PatchEmbedding.FromTaps(TapsOf(image), parallel, reuse);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var run in _runs)
            run.Dispose();
    }

    /// <summary>The maps of each image of one run, whose outputs have the shape <c>(images, h, w, d)</c>.</summary>
    private static IEnumerable<FeatureMap[]> ImagesOf(IDisposableReadOnlyCollection<OrtValue> run)
    {
        var taps = run.Select(output => (Shape: output.GetTensorTypeAndShape().Shape, new NativeMemory(output).Memory))
            .ToArray();
        for (var image = 0; image < taps[0].Shape[0]; image++)
            yield return Array.ConvertAll(
                taps,
                tap =>
                {
                    var values = (int)(tap.Shape[1] * tap.Shape[2] * tap.Shape[3]);
                    return new FeatureMap(
                        tap.Memory.Slice(image * values, values),
                        new Grid((int)tap.Shape[1], (int)tap.Shape[2])
                    );
                }
            );
    }

    /// <summary>A view of a tensor that ONNX Runtime owns: no copy is made.</summary>
    private sealed unsafe class NativeMemory : MemoryManager<float>
    {
        private readonly float* _start;
        private readonly int _length;

        public NativeMemory(OrtValue tensor)
        {
            var values = tensor.GetTensorMutableDataAsSpan<float>();
            _length = values.Length;
            _start = (float*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref values.GetPinnableReference());
        }

        public override Span<float> GetSpan() => new(_start, _length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
