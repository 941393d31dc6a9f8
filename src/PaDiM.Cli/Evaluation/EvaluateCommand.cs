using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Core.Models;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Cli.Evaluation;

/// <summary><c>padim evaluate ROOT</c>: fits and measures every category of a dataset.</summary>
internal sealed class EvaluateCommand
{
    private const string NonAligned = "non-aligned";
    private const int DefaultNonAlignedRepeats = 5,
        MaxRepeats = 1000;

    private readonly Argument<string> _root = new("root")
    {
        Description = "Folder of a dataset, or of one category of it.",
    };
    private readonly Option<string[]> _category = new("--category")
    {
        Description = "Only this category; may be repeated.",
    };
    private readonly Option<string> _layout = new("--layout")
    {
        Description =
            "How the folder is laid out: as MVTec AD (train/good, test/DEFECT, ground_truth/DEFECT), as ShanghaiTech Campus (training/frames/VIDEO, testing/frames/VIDEO), or to be found out.",
        DefaultValueFactory = _ => DatasetLayouts.Auto,
    };
    private readonly Option<int> _frameStep = new("--frame-step")
    {
        Description = "Of videos, take every so manieth frame only.",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<string> _protocol = new("--protocol")
    {
        Description =
            $"Show images as they are, or as the paper's non-aligned data: {NonAlignedView.Size} x {NonAlignedView.Size} pixels, turned by up to 10 degrees and cropped at random.",
        DefaultValueFactory = _ => "aligned",
    };
    private readonly Option<int?> _repeats = new("--repeats")
    {
        Description =
            $"Fits of each category, with seeds that count up from --seed; their mean and standard deviation are told (1, or {DefaultNonAlignedRepeats} for non-aligned data).",
    };
    private readonly Option<string> _state = new("--state")
    {
        Description =
            "Folder to keep what is done in, so that the same command goes on after an interruption; one of the user's own by default.",
        HelpName = "folder",
    };
    private readonly Option<string[]> _report = new("--report")
    {
        Description = "File to write the results to, .md or .json; may be repeated.",
        HelpName = "file",
    };
    private readonly Option<bool> _json = new("--json")
    {
        Description = "One JSON object a category and line instead of the table.",
    };
    private readonly ModelOptions _model;
    private readonly BackboneOptions _backbones = new();

    private EvaluateCommand()
    {
        _layout.AcceptOnlyFromAmong(DatasetLayouts.Auto, DatasetLayouts.Mvtec, DatasetLayouts.Stc);
        _protocol.AcceptOnlyFromAmong("aligned", NonAligned);
        _frameStep.Require(step => step >= 1, "--frame-step must be at least 1.");
        _repeats.Require(
            count => count is null or (>= 1 and <= MaxRepeats),
            $"--repeats must lie between 1 and {MaxRepeats}."
        );
        _report.Require(
            paths => Array.TrueForAll(paths ?? [], EvaluationReports.CanWrite),
            "--report takes a file whose name ends in .md or .json."
        );
        _model = new ModelOptions(ApplyProtocol);
    }

    public static Command Create()
    {
        var evaluate = new EvaluateCommand();
        var command = new Command(
            "evaluate",
            "Fit and measure the categories of a dataset: a row a category, as the paper's tables do."
        )
        {
            evaluate._root,
            evaluate._category,
            evaluate._layout,
            evaluate._frameStep,
            evaluate._protocol,
            evaluate._repeats,
            evaluate._state,
            evaluate._report,
            evaluate._json,
        };
        evaluate._model.AddTo(command);
        evaluate._backbones.AddTo(command);
        command.Validators.Add(evaluate.CheckMask);
        command.SetAction(evaluate.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        using var registry = _backbones.Open(arguments);
        var backbone = registry.Open(_model.GetBackboneName(arguments));
        var plan = ToPlan(arguments, backbone);
        var dataset = DatasetLayouts.Open(plan.Root, plan.Layout, plan.FrameStep);
        DatasetCategory[] categories =
        [
            .. SelectCategories(dataset.Categories, arguments.GetValue(_category) ?? []).Select(dataset.Read),
        ];
        using var kept = EvaluationState.Open(
            arguments.GetValue(_state) ?? EvaluationState.DefaultParent,
            plan,
            backbone
        );
        // On a terminal the lines would get into the bar's way.
        var asJson = arguments.GetValue(_json);
        var atOnce = Console.IsOutputRedirected || Console.IsErrorRedirected;
        var rows = await MeasureAsync(
            categories,
            plan,
            new EvaluationRun(plan, backbone, _model.ReadIgnoreMask(arguments), kept),
            kept,
            row => Print(row, asJson && atOnce),
            stop
        );
        foreach (var row in rows)
            Print(row, asJson && !atOnce);
        if (!asJson)
            await Console.Out.WriteAsync(EvaluationTable.Format(rows));
        foreach (var path in arguments.GetValue(_report) ?? [])
            EvaluationReports.Write(path, plan, rows);
        kept.Remove(categories);
        return ExitCode.Done;
    }

    private static async Task<IReadOnlyList<EvaluationRow>> MeasureAsync(
        DatasetCategory[] categories,
        EvaluationPlan plan,
        EvaluationRun run,
        EvaluationState kept,
        Action<EvaluationRow> finished,
        CancellationToken stop
    )
    {
        var todo = FindRemaining(categories, plan, kept);
        try
        {
            return await ProgressBar.RunAsync(
                "Evaluating",
                show =>
                    run.Run(
                        categories,
                        new EvaluationProgress(todo.Sum(EvaluationProgress.CountImages), todo.Count, show),
                        finished,
                        stop
                    ),
                stop
            );
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(
                $"What is done is kept in {kept.Folder}; the same command goes on from there."
            );
            throw;
        }
    }

    private EvaluationPlan ToPlan(ParseResult arguments, Backbone backbone)
    {
        var shown =
            arguments.GetValue(_protocol) == NonAligned ? EvaluationProtocol.NonAligned : EvaluationProtocol.Aligned;
        return new EvaluationPlan(
            Path.GetFullPath(arguments.GetValue(_root)!),
            arguments.GetValue(_layout)!,
            arguments.GetValue(_frameStep),
            shown,
            _model.GetSettings(arguments, backbone),
            _model.GetIgnoreMaskFile(arguments) is { } mask ? FileHash.Of(mask) : null,
            arguments.GetValue(_repeats) ?? (shown == EvaluationProtocol.NonAligned ? DefaultNonAlignedRepeats : 1)
        );
    }

    private void CheckMask(CommandResult arguments)
    {
        if (arguments.TryGetValue(_protocol, out var shown) && shown == NonAligned && _model.HasIgnoreMask(arguments))
            arguments.AddError(
                "--ignore-mask goes with images as they are: one mask cannot fit images that each are turned and cropped by themselves."
            );
    }

    /// <summary>Non-aligned images are shown at their final size.</summary>
    private FitSettings ApplyProtocol(SymbolResult arguments, FitSettings settings) =>
        arguments.GetValue(_protocol) == NonAligned
            ? settings with
            {
                ImageSize = NonAlignedView.Size,
                CropSize = null,
            }
            : settings;

    private static IEnumerable<string> SelectCategories(IReadOnlyList<string> found, string[] wanted)
    {
        if (wanted.FirstOrDefault(name => !found.Contains(name)) is { } missing)
            throw new DirectoryNotFoundException(
                $"There is no category {missing}; found are {string.Join(", ", found)}."
            );
        return found.Where(name => wanted.Length == 0 || wanted.Contains(name));
    }

    /// <summary>
    /// The category of each fit that is still to be made; says so where there is something to go on from.
    /// </summary>
    private static List<DatasetCategory> FindRemaining(
        DatasetCategory[] categories,
        EvaluationPlan plan,
        EvaluationState kept
    )
    {
        var entries = categories
            .SelectMany(category =>
                plan.Seeds.Select(seed => (Category: category, Entry: kept.GetEntry(category, seed)))
            )
            .ToArray();
        var todo = entries.Where(fit => fit.Entry.Read() is null).ToArray();
        if (todo.Length < entries.Length || todo.Any(fit => fit.Entry.IsUnderWay))
            Console.Error.WriteLine(
                $"Going on with an interrupted run: {entries.Length - todo.Length} of {entries.Length} results are taken from {kept.Folder}."
            );
        return [.. todo.Select(fit => fit.Category)];
    }

    private static void Print(EvaluationRow row, bool now)
    {
        if (now)
            Console.Out.WriteLine(JsonSerializer.Serialize(row, EvaluationJson.Default.EvaluationRow));
    }
}
