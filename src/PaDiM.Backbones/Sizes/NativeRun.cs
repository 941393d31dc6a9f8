using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;

namespace PaDiM.Backbones.Sizes;

/// <summary>Runs a graph once on images of random pixels, and returns tensors from inside it.</summary>
internal static class NativeRun
{
    /// <summary>Runs a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="tensors">Names of float32 tensors to return.</param>
    /// <param name="images">Number of images.</param>
    /// <param name="size">Their size.</param>
    /// <param name="runtime">Runs the graph.</param>
    /// <param name="onlyShapes">Whether to leave out the values.</param>
    /// <returns>Shape and values of each tensor; null if the graph does not run on such images.</returns>
    public static IReadOnlyList<TensorValues>? TryRun(
        GraphEditor graph,
        IReadOnlyList<string> tensors,
        int images,
        Grid size,
        BackboneRuntime runtime,
        bool onlyShapes = false
    )
    {
        try
        {
            using var session = runtime.CreateSession(
                graph
                    .Edit(edited =>
                    {
                        edited.Output.Clear();
                        edited.Output.Add(tensors.Select(name => GraphEditor.CreateFloat32Tensor(name)));
                    })
                    .ToArray()
            );
            // Whether it runs is the question: ONNX Runtime must not print that it does not.
            using var options = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            using var input = OrtValue.CreateTensorValueFromMemory(
                CreatePixels(images, size),
                [images, 3, size.Height, size.Width]
            );
            using var outputs = session.Run(options, session.InputNames, [input], session.OutputNames);
            return
            [
                .. outputs.Select(output => new TensorValues(
                    output.GetTensorTypeAndShape().Shape,
                    onlyShapes ? [] : output.GetTensorDataAsSpan<float>().ToArray()
                )),
            ];
        }
        catch (OnnxRuntimeException)
        {
            return null;
        }
    }

    /// <summary>Creates noise, the same for the same size; the first image does not depend on how many follow.</summary>
    private static float[] CreatePixels(int images, Grid size)
    {
        var random = new Random(1);
        var pixels = new float[images * 3 * size.Positions];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = 2 * random.NextSingle() - 1;
        return pixels;
    }
}

/// <summary>Represents the shape and the values of a tensor.</summary>
internal sealed record TensorValues(long[] Shape, float[] Values);
