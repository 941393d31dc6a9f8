namespace PaDiM.TestSupport;

/// <summary>
/// Check vectors, photographs and backbones that are too large or not ours to keep in the repository: a folder named
/// <c>shared</c> in or beside it, or the one that the environment variable <c>PADIM_SHARED</c> names. Tests that need
/// it skip, visibly, where it is absent:
/// <code>Assert.SkipUnless(SharedFolder.Has("reference/vectors.json"),
/// SharedFolder.Missing("reference/vectors.json"));</code>
/// </summary>
public static class SharedFolder
{
    /// <summary>Names the folder; it is then not searched for.</summary>
    public const string Variable = "PADIM_SHARED";

    /// <summary>The folder, or null.</summary>
    public static string? Root { get; } =
        Locate(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory);

    /// <summary>Whether a file or folder lies at a path relative to the folder.</summary>
    public static bool Has(string relative) =>
        Root is not null && System.IO.Path.Exists(System.IO.Path.Combine(Root, relative));

    /// <summary>Why a test that needs the path is skipped.</summary>
    public static string Missing(string relative) =>
        $"shared/{relative} is absent: put the folder beside the repository, or name it in {Variable}.";

    /// <summary>The full path of something that <see cref="Has"/>.</summary>
    public static string Path(string relative) =>
        Has(relative) ? System.IO.Path.Combine(Root!, relative) : throw new FileNotFoundException(Missing(relative));

    /// <summary>
    /// The named folder where one is named; otherwise the nearest <c>shared</c> with check vectors or data, going up.
    /// </summary>
    internal static string? Locate(string? named, string start)
    {
        if (!string.IsNullOrEmpty(named))
            return Directory.Exists(named) ? System.IO.Path.GetFullPath(named) : null;
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            var candidate = System.IO.Path.Combine(folder.FullName, "shared");
            if (
                Directory.Exists(System.IO.Path.Combine(candidate, "reference"))
                || Directory.Exists(System.IO.Path.Combine(candidate, "data"))
            )
                return candidate;
        }
        return null;
    }
}
