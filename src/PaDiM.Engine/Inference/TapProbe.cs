using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;

namespace PaDiM.Engine.Inference;

/// <summary>
/// Measures what a graph shows only when it runs, on a batch of two black images: the strides and channels of its taps.
/// The shapes in its file may be missing, or may fix the batch to one image.
/// </summary>
/// <param name="Input">Name of the graph's input.</param>
/// <param name="FixedSize">The only size that the graph accepts, in pixels; null if it accepts any.</param>
/// <param name="Taps">The taps with their strides and channels.</param>
internal sealed record TapProbe(string Input, int? FixedSize, IReadOnlyList<BackboneTap> Taps)
{
    private const int DefaultSize = 256;

    /// <summary>Runs a graph whose outputs are its taps.</summary>
    /// <exception cref="InvalidDataException">The graph cannot serve as a backbone; the message, which completes a
    /// sentence, says why.</exception>
    public static TapProbe Run(GraphEditor tapped, IReadOnlyList<string> taps, BackboneRuntime runtime)
    {
        using var session = runtime.CreateSession(tapped.ToArray());
        var fixedSize = GetFixedSize(session);
        var size = fixedSize ?? DefaultSize;
        using var options = new RunOptions();
        using var black = OrtValue.CreateTensorValueFromMemory(new float[2 * 3 * size * size], [2, 3, size, size]);
        using var maps = session.Run(options, [session.InputNames[0]], [black], session.OutputNames);
        return new TapProbe(
            session.InputNames[0],
            fixedSize,
            [.. maps.Select((map, i) => Measure(map, taps[i], size))]
        );
    }

    private static BackboneTap Measure(OrtValue map, string tensor, int size)
    {
        var shape = map.GetTensorTypeAndShape().Shape;
        if (shape.Length != 4)
            throw new InvalidDataException(
                $"a tap has {shape.Length} axes; feature maps have four, (n, channels, h, w)"
            );
        if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes(map.GetTensorDataAsSpan<float>())))
            throw new InvalidDataException("its output for a black image is not finite");
        return new BackboneTap(tensor, (int)Math.Round((double)size / shape[2]), (int)shape[1]);
    }

    private static int? GetFixedSize(InferenceSession session)
    {
        var shape = session.InputMetadata[session.InputNames[0]].Dimensions;
        if (shape.Length != 4)
            throw new InvalidDataException($"its input has {shape.Length} axes; a backbone takes (n, 3, h, w)");
        if (shape[1] is not (3 or -1))
            throw new InvalidDataException(
                $"its input has the shape ({string.Join(", ", shape)}); a backbone takes batches of three-channel"
                    + " images, (n, 3, h, w)"
            );
        if (shape[2] > 0 && shape[2] != shape[3])
            throw new InvalidDataException("its input has a fixed size that is not square");
        return shape[2] > 0 ? shape[2] : null;
    }
}
