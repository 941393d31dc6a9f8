using System.CommandLine;
using System.Text;

namespace PaDiM.Cli;

/// <summary>
/// <c>padim completion SHELL</c>: prints the script with which a shell completes commands, options and their values. It
/// asks <c>padim</c> itself, so it stays right when the program is updated.
/// </summary>
internal static class CompletionCommand
{
    private const string PowerShell = "pwsh";

    private static readonly string[] Shells = ["bash", "zsh", "fish", PowerShell];

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong(Shells);
        var command = new Command("completion", "Print the script that lets a shell complete padim's command lines.")
        {
            shell,
        };
        command.SetAction(arguments =>
        {
            Console.Out.Write(Read(arguments.GetValue(shell)!));
            return ExitCode.Done;
        });
        return command;
    }

    private static string Read(string shell)
    {
        var name = $"Completion/padim.{(shell == PowerShell ? "ps1" : shell)}";
        using var script = typeof(CompletionCommand).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(script, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
