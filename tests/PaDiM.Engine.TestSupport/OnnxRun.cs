using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Inference;

namespace PaDiM.Engine.TestSupport;

/// <summary>Runs an ONNX file as it is, without the pipelines of the product.</summary>
internal static class OnnxRun
{
    /// <summary>Values of the graph's outputs by name for one input of random values.</summary>
    public static Dictionary<string, float[]> Outputs(byte[] onnx, int batch, int size)
    {
        using var options = OnnxRuntimeLibrary.CreateOptions();
        options.IntraOpNumThreads = 1;
        using var session = OnnxRuntimeLibrary.OpenSession(onnx, options);
        var random = new Random(5);
        var pixels = Enumerable.Range(0, batch * 3 * size * size).Select(_ => random.NextSingle() * 4 - 2).ToArray();
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [batch, 3, size, size]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return session
            .OutputNames.Zip(outputs)
            .ToDictionary(pair => pair.First, pair => pair.Second.GetTensorDataAsSpan<float>().ToArray());
    }
}
