namespace PaDiM.TestSupport;

/// <summary>The checkout that the tests run from.</summary>
public static class Repository
{
    /// <summary>Gets the folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "PaDiM.Service.sln")))
                return folder.FullName;
        throw new DirectoryNotFoundException("The tests do not run from within the repository.");
    }
}
