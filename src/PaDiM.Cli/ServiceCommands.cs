using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;

namespace PaDiM.Cli;

/// <summary>
/// Commands for a service's data directory. They run the service's own program, because only it knows the database.
/// </summary>
internal static class ServiceCommands
{
    private const string ProgramFile = "PaDiM.Service.dll",
        PathVariable = "PADIM_SERVICE";

    public static IEnumerable<Command> Create() =>
        [
            Create(
                "keys",
                "Create, list and revoke the API keys of a service: create, list, revoke. "
                    + "--data DIR is its data directory. See 'padim keys create -h'."
            ),
            Create("backup", "Back up the data directory of a service, which may be running: backup DATA BACKUP."),
            Create("restore", "Restore a data directory from a backup: restore BACKUP DATA."),
            Create(
                "migrate",
                "Copy a data directory to the database and the bucket that the settings name, or back: migrate DATA, "
                    + "migrate DATA --back."
            ),
            Create("scrub", "Compare every file of a data directory with its hash: scrub DATA."),
        ];

    private static Command Create(string name, string description)
    {
        var command = new Command(name, description) { TreatUnmatchedTokensAsErrors = false };
        // All options, including -h, are passed on to the service.
        command.Options.Clear();
        command.SetAction(
            (arguments, cancellationToken) => RunAsync(name, arguments.UnmatchedTokens, cancellationToken)
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string name,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    )
    {
        using var service = Start(
            new ProcessStartInfo(
                Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
                [FindProgram(), name, .. arguments]
            )
        );
        await service.WaitForExitAsync(cancellationToken);
        return service.ExitCode;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new FileNotFoundException(
                "dotnet could not be started, which runs the service's program. Install .NET 10 with ASP.NET Core, or run "
                    + "this command where the service runs."
            );
        }
    }

    /// <summary>
    /// Finds the service's program: where the environment variable says, beside this program if both were published
    /// into one folder, or where the repository builds it.
    /// </summary>
    private static string FindProgram()
    {
        string?[] places =
        [
            Environment.GetEnvironmentVariable(PathVariable),
            Path.Combine(AppContext.BaseDirectory, ProgramFile),
            FindBuildOutput(),
        ];
        return Array.Find(places, File.Exists)
            ?? throw new FileNotFoundException(
                $"The service's program, {ProgramFile}, was not found beside padim. Set {PathVariable} to its path, "
                    + $"or run 'dotnet {ProgramFile}' with the same arguments."
            );
    }

    /// <summary>Gets the path of the service's build output, which mirrors that of this project.</summary>
    private static string? FindBuildOutput()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (folder is { Name: "PaDiM.Cli", Parent: { } source })
            {
                var output = Path.GetRelativePath(folder.FullName, AppContext.BaseDirectory);
                return Path.Combine(source.FullName, "PaDiM.Service", output, ProgramFile);
            }
        }
        return null;
    }
}
