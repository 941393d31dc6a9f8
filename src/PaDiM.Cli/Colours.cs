using Spectre.Console;

namespace PaDiM.Cli;

/// <summary>
/// Decides whether a console gets colours. One that writes to a terminal does, others do not; <c>NO_COLOR</c> takes them
/// away everywhere, and <c>CLICOLOR_FORCE</c> also gives them to files and pipes.
/// </summary>
internal static class Colours
{
    /// <summary>Applies the variables to the console of the results.</summary>
    public static void Apply(IAnsiConsole console)
    {
        var capabilities = console.Profile.Capabilities;
        if (AreRefused)
            (capabilities.Ansi, capabilities.ColorSystem) = (false, ColorSystem.NoColors);
        else if (Environment.GetEnvironmentVariable("CLICOLOR_FORCE") is { Length: > 0 } forced && forced != "0")
            (capabilities.Ansi, capabilities.ColorSystem) = (true, ColorSystem.Standard);
    }

    /// <summary>Applies them to a console that moves its cursor, which only a terminal can.</summary>
    public static void ApplyToProgress(IAnsiConsole console)
    {
        if (AreRefused)
            console.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
    }

    private static bool AreRefused => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
}
