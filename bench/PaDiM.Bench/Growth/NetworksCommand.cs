using System.CommandLine;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Bench.Growth;

/// <summary>
/// Measures the cost of a score with each network of the folder, in turn, at 256 x 256 or the nearest size that it
/// takes, and the paper's dimensions.
/// </summary>
internal static class NetworksCommand
{
    public static Command Create()
    {
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds for the table.",
            DefaultValueFactory = _ => 40,
        };
        var command = Workbench.CreateCommand(
            "networks",
            "Measure the milliseconds per score with each network of the folder.",
            (workbench, arguments) =>
            {
                using var points = new Points(workbench);
                foreach (var file in workbench.Registry.Directories.List())
                {
                    var backbone = workbench.Open(file.Name);
                    var settings = new FitSettings
                    {
                        ImageSize = backbone.GetNearestSize(new FitSettings().ImageSize),
                        Dimensions = BackboneCatalogue
                            .Known.GetPaperSettings(file.Name, file.ReadManifest())
                            .Dimensions,
                    };
                    points.Add($"{file.Name}, d = {settings.Dimensions}", settings.Dimensions, backbone, settings);
                }
                points.Print(
                    "network",
                    $"256 x 256, one image at a time, {workbench.ThreadCount} threads",
                    TimeSpan.FromSeconds(arguments.GetValue(seconds))
                );
                return Task.CompletedTask;
            }
        );
        command.Add(seconds);
        return command;
    }
}
