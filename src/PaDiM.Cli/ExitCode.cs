namespace PaDiM.Cli;

/// <summary>What the program tells its caller.</summary>
internal static class ExitCode
{
    public const int Done = 0,
        Failure = 1,
        WrongUsage = 2;
}
