using System.Globalization;
using PaDiM.Backbones.Acquisition;
using PaDiM.Engine.Files;
using Spectre.Console;

namespace PaDiM.Cli.Backbones;

/// <summary>Tells what was installed.</summary>
internal static class InstallationSummary
{
    public static void Print(Installation done)
    {
        var taps = string.Join(
            ", ",
            (done.Manifest.Taps ?? []).Select(tap =>
                $"{TerminalText.Sanitise(tap.Tensor)} (stride {tap.Stride}, {tap.Channels} channels)"
            )
        );
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"[bold]{done.File.Path}[/]: {(done.Changed ? "installed" : "already installed")}, taps {taps}"
        );
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"SHA-256 {done.Manifest.Sha256}{(done.Manifest.WeightsSha256 is { } weights ? $", of the weights {weights}" : "")}"
        );
        if (done.Manifest.Licence is { } licence)
            AnsiConsole.MarkupLineInterpolated(
                CultureInfo.InvariantCulture,
                $"licence: {TerminalText.Sanitise(licence)}"
            );
    }
}
