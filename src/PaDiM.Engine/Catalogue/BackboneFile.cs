namespace PaDiM.Engine.Catalogue;

/// <summary>A backbone as it lies on disk: found, not yet opened.</summary>
/// <param name="Name">File name without <c>.onnx</c>.</param>
/// <param name="Path">The ONNX file.</param>
/// <param name="IsBuiltIn">It came with the program.</param>
public sealed record BackboneFile(string Name, string Path, bool IsBuiltIn)
{
    /// <summary>The manifest beside it, or an empty one.</summary>
    /// <exception cref="InvalidDataException">There is a manifest that cannot be read.</exception>
    public BackboneManifest ReadManifest()
    {
        var path = System.IO.Path.ChangeExtension(Path, ".json");
        return File.Exists(path) ? BackboneManifest.Parse(File.ReadAllBytes(path)) : new BackboneManifest();
    }
}
