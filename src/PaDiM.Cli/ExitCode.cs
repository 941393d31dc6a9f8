namespace PaDiM.Cli;

/// <summary>Defines the exit codes of the program.</summary>
internal static class ExitCode
{
    public const int Done = 0,
        Failure = 1,
        WrongUsage = 2;
}
