namespace PaDiM.Engine.TestSupport;

/// <summary>
/// Small vision transformers that PyTorch exported, with random weights: tools/fixtures/vision_transformers.py.
/// </summary>
internal static class TransformerFiles
{
    /// <summary>Reads a file by its name without <c>.onnx</c>.</summary>
    public static byte[] Read(string name) => File.ReadAllBytes(GetPath(name));

    /// <summary>Gets the path of a file by its name without <c>.onnx</c>.</summary>
    public static string GetPath(string name) =>
        Path.Combine(AppContext.BaseDirectory, "Fixtures", "Transformers", $"{name}.onnx");
}
