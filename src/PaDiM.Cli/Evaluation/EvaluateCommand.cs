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
        Description = "Folder of a dataset, or of one of its categories.",
    };
    private readonly Option<string[]> _category = new("--category")
    {
        Description = "Evaluate only this category; may be repeated.",
    };
    private readonly Option<string> _layout = new("--layout")
    {
        Description =
            "Layout of the folder: mvtec (MVTec AD: train/good, test/DEFECT, ground_truth/DEFECT), "
            + "stc (ShanghaiTech Campus: training/frames/VIDEO, testing/frames/VIDEO), or auto to detect it.",
        DefaultValueFactory = _ => DatasetLayouts.Auto,
    };
    private readonly Option<int> _frameStep = new("--frame-step")
    {
        Description = "For videos, use every Nth frame.",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<string> _protocol = new("--protocol")
    {
        Description =
            "Use images as they are, or as in the paper's non-aligned protocol: rotated by up to 10 degrees "
            + $"and cropped at random to {NonAlignedView.Size} x {NonAlignedView.Size} pixels.",
        DefaultValueFactory = _ => "aligned",
    };
    private readonly Option<int?> _repeats = new("--repeats")
    {
        Description =
            "Fits per category, with seeds that count up from --seed; the result is their mean and standard deviation "
            + $"(default: 1, or {DefaultNonAlignedRepeats} for non-aligned data).",
    };
    private readonly Option<string> _state = new("--state")
    {
        Description = "State folder, so an interrupted run can resume (default: per user).",
        HelpName = "folder",
    };
    private readonly Option<string[]> _report = new("--report")
    {
        Description = "File for the results, .md or .json; may be repeated.",
        HelpName = "file",
    };
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Print one JSON object per category and line instead of the table.",
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
            $"--repeats must be between 1 and {MaxRepeats}."
        );
        _report.Require(
            paths => Array.TrueForAll(paths ?? [], EvaluationReports.CanWrite),
            "--report must be a file whose name ends in .md or .json."
        );
        _model = new ModelOptions(ApplyProtocol);
    }

    public static Command Create()
    {
        var evaluate = new EvaluateCommand();
        var command = new Command(
            "evaluate",
            "Fit and measure the categories of a dataset: one row per category, as in the paper's tables."
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
        // On a terminal the lines would break the progress bar.
        var asJson = arguments.GetValue(_json);
        var printAtOnce = Console.IsOutputRedirected || Console.IsErrorRedirected;
        var rows = await MeasureAsync(
            categories,
            plan,
            new EvaluationRun(plan, backbone, _model.ReadIgnoreMask(arguments), kept),
            kept,
            row => Print(row, asJson && printAtOnce),
            stop
        );
        foreach (var row in rows)
            Print(row, asJson && !printAtOnce);
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
                $"Finished work is kept in {kept.Folder}; run the same command again to resume."
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
            _model.GetIgnoreMaskFile(arguments) is { } mask ? FileHash.Compute(mask) : null,
            arguments.GetValue(_repeats) ?? (shown == EvaluationProtocol.NonAligned ? DefaultNonAlignedRepeats : 1)
        );
    }

    private void CheckMask(CommandResult arguments)
    {
        if (arguments.TryGetValue(_protocol, out var shown) && shown == NonAligned && _model.HasIgnoreMask(arguments))
            arguments.AddError(
                "--ignore-mask cannot be combined with --protocol non-aligned: "
                    + "each image is rotated and cropped differently, so one mask cannot fit all."
            );
    }

    /// <summary>Applies the protocol to the settings: non-aligned images already have their final size.</summary>
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
                $"There is no category {missing}. The dataset has {string.Join(", ", found)}."
            );
        return found.Where(name => wanted.Length == 0 || wanted.Contains(name));
    }

    /// <summary>
    /// Finds the category of each fit that is still to do, and prints a line if an interrupted run is resumed.
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
                $"Resuming an interrupted run: {entries.Length - todo.Length} of {entries.Length} results "
                    + $"are taken from {kept.Folder}."
            );
        return [.. todo.Select(fit => fit.Category)];
    }

    private static void Print(EvaluationRow row, bool now)
    {
        if (now)
            Console.Out.WriteLine(JsonSerializer.Serialize(row, EvaluationJson.Default.EvaluationRow));
    }
}
