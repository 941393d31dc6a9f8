using System.CommandLine;
using System.Text.Json;
using PaDiM.Core.Calibration;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Pipelines;

namespace PaDiM.Cli.Evaluation;

/// <summary><c>padim evaluate ROOT</c>: fits and measures every category below a folder laid out as MVTec AD.</summary>
internal static class EvaluateCommand
{
    /// <summary>Share of a category's time that its fit takes, for the progress bar.</summary>
    private const double FitShare = 0.7;

    public static Command Create()
    {
        var root = new Argument<string>("root") { Description = "Folder of categories, or one category: train/good, test/<defect>, ground_truth/<defect>." };
        var category = new Option<string[]>("--category") { Description = "Only this category; may be repeated." };
        var profile = new Option<string>("--profile") { Description = "Settings: the service's defaults, or those of the paper (centre crop 224, random channels).", DefaultValueFactory = _ => "default" };
        profile.AcceptOnlyFromAmong("default", "paper");
        var backbone = new Option<string>("--backbone") { Description = "Name of the backbone.", DefaultValueFactory = _ => BackboneRegistry.DefaultName };
        var dimensions = new Option<int>("--dimensions") { Description = "Dimensions of the embedding.", DefaultValueFactory = _ => new FitSettings().Dimensions };
        dimensions.Require(value => value >= 1, "--dimensions must be at least 1.");
        var seed = new Option<int>("--seed") { Description = "Seed of the reduction.", DefaultValueFactory = _ => new FitSettings().Seed };
        var json = new Option<bool>("--json") { Description = "One JSON object a category and line." };
        var backbones = new BackboneOptions();
        var command = new Command("evaluate", "Fit and measure categories laid out as MVTec AD: a row a category, as the paper's tables do.") { root, category, profile, backbone, dimensions, seed, json };
        backbones.AddTo(command);
        command.SetAction(async (arguments, stop) =>
        {
            var settings = (arguments.GetValue(profile) == "paper" ? FitSettings.Paper : new FitSettings()) with { Dimensions = arguments.GetValue(dimensions), Seed = arguments.GetValue(seed) };
            using var registry = backbones.Open(arguments);
            var opened = registry.Open(arguments.GetValue(backbone)!);
            var rows = new List<EvaluationRow>();
            foreach (var folder in Choose(MvtecFolder.Find(arguments.GetValue(root)!), arguments.GetValue(category) ?? []))
            {
                var report = await ProgressBar.RunAsync(folder.Name, progress => Evaluate(folder, opened, settings, progress, stop), stop);
                rows.Add(new EvaluationRow(folder.Name, folder.IsTexture, opened.Identity.Name, settings, report));
                if (arguments.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(rows[^1], EvaluationJson.Default.EvaluationRow));
            }
            if (!arguments.GetValue(json)) EvaluationTable.Print(rows);
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<MvtecFolder> Choose(IReadOnlyList<MvtecFolder> found, string[] wanted)
    {
        if (wanted.FirstOrDefault(name => found.All(folder => folder.Name != name)) is { } missing)
            throw new DirectoryNotFoundException($"There is no category {missing}; found are {string.Join(", ", found.Select(folder => folder.Name))}.");
        return found.Where(folder => wanted.Length == 0 || wanted.Contains(folder.Name));
    }

    private static EvaluationReport Evaluate(MvtecFolder folder, Backbone backbone, FitSettings settings, Action<double, string> progress, CancellationToken stop)
    {
        var model = FolderFit.Run(backbone, settings, folder.Training, step => progress(FitShare * step.Progress, $"{step.Stage}"), stop);
        var pipeline = new EvaluationPipeline(new Inspector(model, backbone), new ImageDecoder());
        return pipeline.Run(folder.Tests(), model.Calibration.ThresholdAt(ThresholdCalibration.DefaultFalseRejectRate), share => progress(FitShare + (1 - FitShare) * share, "scoring"), stop);
    }
}
