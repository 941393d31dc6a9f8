using System.CommandLine;

namespace PaDiM.Cli.Backbones;

/// <summary><c>padim backbones</c>: manages the networks that the other commands use.</summary>
internal static class BackbonesCommand
{
    public static Command Create() =>
        new("backbones", "Manage backbones, the networks whose features are modelled.")
        {
            ListCommand.Create(),
            PullCommand.Create(),
            AddCommand.Create(),
            VerifyCommand.Create(),
            QuantizeCommand.Create(),
        };
}
