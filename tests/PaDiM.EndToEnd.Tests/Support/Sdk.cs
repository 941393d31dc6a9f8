using System.Diagnostics;
using PaDiM.TestSupport;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>Runs commands of the .NET SDK.</summary>
internal static class Sdk
{
    private const string Configuration =
#if DEBUG
        "Debug";
#else
        "Release";
#endif

    /// <summary>Runs a command of the SDK on a project of the repository, in the configuration of the tests.</summary>
    public static Task<string> BuildAsync(string command, string project, params string[] arguments) =>
        Programs.RunAsync(
            // Build servers would outlive the command and keep its pipes open.
            new ProcessStartInfo(
                "dotnet",
                [
                    command,
                    Path.Combine(PublishedService.Repository, "src", project),
                    "-c",
                    Configuration,
                    .. arguments,
                    "-nodeReuse:false",
                    "--nologo",
                ]
            )
        );
}
