using System.CommandLine;
using System.Diagnostics;

namespace PaDiM.Cli;

/// <summary>
/// What concerns a service's data directory: carried out by the service's own program, which alone knows its database.
/// </summary>
internal static class ServiceCommands
{
    private const string ProgramFile = "PaDiM.Service.dll",
        PathVariable = "PADIM_SERVICE";

    public static IEnumerable<Command> Create() =>
        [
            Create(
                "keys",
                "Make, list and revoke the API keys of a service: create, list, revoke; --data DIR is its data directory. 'padim keys create -h' tells more."
            ),
            Create("backup", "Copy the data directory of a service, which may be at work: backup DATA BACKUP."),
            Create("restore", "Make a data directory of a backup: restore BACKUP DATA."),
            Create("scrub", "Compare every file of a data directory with its hash: scrub DATA."),
        ];

    private static Command Create(string name, string description)
    {
        var command = new Command(name, description) { TreatUnmatchedTokensAsErrors = false };
        // All options, -h too, are the service's own.
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
        using var service =
            Process.Start(
                new ProcessStartInfo(
                    Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
                    [FindProgram(), name, .. arguments]
                )
            ) ?? throw new FileNotFoundException("dotnet could not be started.");
        await service.WaitForExitAsync(cancellationToken);
        return service.ExitCode;
    }

    /// <summary>
    /// Where it was said to be, beside this program when both were published into one folder, or where the repository
    /// builds it.
    /// </summary>
    private static string FindProgram()
    {
        string?[] places =
        [
            Environment.GetEnvironmentVariable(PathVariable),
            Path.Combine(AppContext.BaseDirectory, ProgramFile),
            Path.Combine(
                AppContext.BaseDirectory.Replace("PaDiM.Cli", "PaDiM.Service", StringComparison.Ordinal),
                ProgramFile
            ),
        ];
        return Array.Find(places, File.Exists)
            ?? throw new FileNotFoundException(
                $"The service's program, {ProgramFile}, is not beside padim. Say where it is with {PathVariable}, or run 'dotnet {ProgramFile}' with the same words where it is."
            );
    }
}
