namespace PaDiM.Engine.Catalogue;

/// <summary>Represents a backbone on disk that has not been opened.</summary>
/// <param name="Name">File name without <c>.onnx</c>.</param>
/// <param name="Path">The ONNX file.</param>
/// <param name="IsBuiltIn">Whether it comes with the program.</param>
public sealed record BackboneFile(string Name, string Path, bool IsBuiltIn)
{
    /// <summary>Reads the manifest beside the file; an empty one if there is none.</summary>
    /// <exception cref="InvalidDataException">The manifest is not valid.</exception>
    public BackboneManifest ReadManifest()
    {
        var path = System.IO.Path.ChangeExtension(Path, ".json");
        return File.Exists(path) ? BackboneManifest.Parse(File.ReadAllBytes(path)) : new BackboneManifest();
    }
}
