namespace PaDiM.Engine.Catalogue;

/// <summary>
/// Finds backbones on disk: every <c>NAME.onnx</c> of the built-in directory and of the configured ones. Where two
/// have the same name, the first one wins.
/// </summary>
/// <param name="directories">Searched in order, after the built-in directory; missing ones are skipped.</param>
public sealed class BackboneDirectories(IEnumerable<string> directories)
{
    private readonly string[] _directories = [BuiltIn, .. directories];

    /// <summary>Gets the directory of the backbones that come with the program.</summary>
    public static string BuiltIn { get; } = Path.Combine(AppContext.BaseDirectory, "backbones");

    /// <summary>
    /// Lists all backbones. Reads the directories on every call, so that new files are found.
    /// </summary>
    public IReadOnlyList<BackboneFile> List() =>
        [
            .. _directories
                .Where(Directory.Exists)
                .SelectMany(directory => Directory.EnumerateFiles(directory, "*.onnx").Order(StringComparer.Ordinal))
                .Select(path => new BackboneFile(
                    Path.GetFileNameWithoutExtension(path),
                    path,
                    Path.GetDirectoryName(path) == BuiltIn
                ))
                .DistinctBy(file => file.Name),
        ];

    /// <summary>Finds a backbone by name; null if there is none.</summary>
    public BackboneFile? Find(string name) => List().FirstOrDefault(file => file.Name == name);
}
