namespace PaDiM.Bench;

/// <summary>Where the build put the programs that are measured from outside.</summary>
internal static class BuiltPrograms
{
    public static string Service => Find("PaDiM.Service", "PaDiM.Service.dll");

    public static string Cli => Find("PaDiM.Cli", "padim.dll");

    /// <summary>Of the same configuration and framework as this program.</summary>
    private static string Find(string project, string file)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var framework = here.Name;
        var configuration = here.Parent!.Name;
        for (var folder = here; folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "src", project, "bin", configuration, framework, file);
            if (File.Exists(path))
                return path;
        }
        throw new FileNotFoundException($"{file} has not been built in {configuration}; build the solution first.");
    }
}
