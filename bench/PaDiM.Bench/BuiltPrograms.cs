namespace PaDiM.Bench;

/// <summary>Finds the build output of the programs that are measured from outside.</summary>
internal static class BuiltPrograms
{
    /// <summary>Gets the path of the service.</summary>
    public static string Service => Find("PaDiM.Service", "PaDiM.Service.dll");

    /// <summary>Gets the path of the command line.</summary>
    public static string Cli => Find("PaDiM.Cli", "padim.dll");

    /// <summary>Finds a file with the same configuration and framework as this program.</summary>
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
        throw new FileNotFoundException($"{file} is not built in {configuration}. Build the solution first.");
    }
}
