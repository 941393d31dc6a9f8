using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Represents the features of a batch: the taps of each image reduced to d dimensions, in the runtime's own memory.
/// Owns that memory.
/// </summary>
public sealed class BackboneFeatures : IDisposable
{
    private readonly IReadOnlyList<IDisposableReadOnlyCollection<OrtValue>> _runs;
    private readonly FeatureMap[][] _images;

    internal BackboneFeatures(IReadOnlyList<IDisposableReadOnlyCollection<OrtValue>> runs, int dimensions)
    {
        _runs = runs;
        Dimensions = dimensions;
        _images = [.. runs.SelectMany(SplitIntoImages)];
    }

    /// <summary>Gets the number of dimensions d of each vector.</summary>
    public int Dimensions { get; }

    /// <summary>Gets the reduced maps of one image of the batch, in the order of the taps.</summary>
    public IReadOnlyList<FeatureMap> this[int image] => _images[image];

    /// <summary>Gets the reduced taps of one image of the batch, valid until this is disposed.</summary>
    public ReducedTaps GetTaps(int image) => new(this[image], Dimensions);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var run in _runs)
            run.Dispose();
    }

    /// <summary>
    /// Splits the outputs of one run, of shape <c>(images, h, w, d)</c>, into the maps of each image.
    /// </summary>
    private static IEnumerable<FeatureMap[]> SplitIntoImages(IDisposableReadOnlyCollection<OrtValue> run)
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

    /// <summary>Represents a tensor that ONNX Runtime owns as memory, without a copy.</summary>
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
