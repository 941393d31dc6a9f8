namespace PaDiM.Client.Tests.Support;

/// <summary>How the tests were built, and so the programs beside them.</summary>
internal static class Built
{
    private static readonly DirectoryInfo Output = new(AppContext.BaseDirectory);

    /// <summary>Gets the target framework, as it names the folder of a build.</summary>
    public static string Framework { get; } = Output.Name;

    /// <summary>Gets the configuration, such as <c>Release</c>.</summary>
    public static string Configuration { get; } = Output.Parent!.Name;
}
