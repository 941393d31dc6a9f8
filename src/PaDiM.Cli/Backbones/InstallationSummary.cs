using System.Globalization;
using PaDiM.Backbones.Acquisition;
using PaDiM.Engine.Files;
using Spectre.Console;

namespace PaDiM.Cli.Backbones;

/// <summary>Prints what was installed.</summary>
internal static class InstallationSummary
{
    public static void Print(Installation installation)
    {
        var taps = string.Join(
            ", ",
            (installation.Manifest.Taps ?? []).Select(tap =>
                $"{TerminalText.Sanitise(tap.Tensor)} (stride {tap.Stride}, {tap.Channels} channels)"
            )
        );
        var state = installation.Changed ? "installed" : "already installed";
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"[bold]{installation.File.Path}[/]: {state}, taps {taps}"
        );
        var ofWeights = installation.Manifest.WeightsSha256 is { } weights ? $", weights SHA-256 {weights}" : "";
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"SHA-256 {installation.Manifest.Sha256}{ofWeights}"
        );
        if (installation.Notice is { } notice)
            AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{TerminalText.Sanitise(notice)}");
        if (installation.Manifest.Licence is { } licence)
            AnsiConsole.MarkupLineInterpolated(
                CultureInfo.InvariantCulture,
                $"licence: {TerminalText.Sanitise(licence)}"
            );
    }
}
