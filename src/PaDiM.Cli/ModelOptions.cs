using System.CommandLine;
using System.CommandLine.Parsing;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;

namespace PaDiM.Cli;

/// <summary>The options that decide what a fit computes: a profile, and settings of which each stated one wins over it.</summary>
internal sealed class ModelOptions
{
    private static readonly FitSettings Defaults = new();

    private readonly Option<string> backbone = new("--backbone") { Description = "Name of the backbone.", DefaultValueFactory = _ => BackboneRegistry.DefaultName };
    private readonly Option<string> profile = new("--profile") { Description = "Settings to start from: the service's defaults, or those of the paper (centre crop 224, random channels).", DefaultValueFactory = _ => "default" };
    private readonly List<Option> options = [];
    private readonly List<Func<SymbolResult, FitSettings, FitSettings>> stated = [];
    private readonly Func<SymbolResult, FitSettings, FitSettings> adapt;

    /// <summary>The options of a command.</summary>
    /// <param name="adapt">What the command makes of a profile before the stated options are applied; null to take it as it is.</param>
    public ModelOptions(Func<SymbolResult, FitSettings, FitSettings>? adapt = null)
    {
        this.adapt = adapt ?? ((_, settings) => settings);
        profile.AcceptOnlyFromAmong("default", "paper");
        Add<int>("--image-size", $"Side that images are resized to, in pixels ({Defaults.ImageSize}).", (settings, side) => settings with { ImageSize = side })
            .Require(side => side is >= FitSettings.MinSize and <= FitSettings.MaxSize, $"--image-size must lie between {FitSettings.MinSize} and {FitSettings.MaxSize}.");
        Add<int>("--crop-size", "Side of the centre crop after resizing, in pixels; none (or 0) for no crop.", (settings, side) => settings with { CropSize = side == 0 ? null : side })
            .CustomParser = CropSize;
        Add<string>("--reduction", "How channels are reduced (semi-orthogonal).", (settings, name) => settings with { Reduction = Reduction(name) })
            .AcceptOnlyFromAmong("semi-orthogonal", "random", "none");
        Add<int>("--dimensions", $"Dimensions of the embedding ({Defaults.Dimensions}).", (settings, count) => settings with { Dimensions = count })
            .Require(count => count is >= 1 and <= 4096, "--dimensions must lie between 1 and 4096.");
        Add<int>("--seed", $"Seed of all that is drawn by chance ({Defaults.Seed}).", (settings, seed) => settings with { Seed = seed });
        Add<double>("--epsilon", $"Added to every variance ({Defaults.Epsilon}).", (settings, value) => settings with { Epsilon = value })
            .Require(value => value is > 0 and <= FitSettings.MaxEpsilon, $"--epsilon must lie above 0 and be at most {FitSettings.MaxEpsilon}.");
        Add<double>("--blur-sigma", $"Standard deviation of the smoothing, in pixels ({Defaults.BlurSigma}).", (settings, value) => settings with { BlurSigma = value })
            .Require(value => value is >= 0 and <= FitSettings.MaxBlurSigma, $"--blur-sigma must lie between 0 and {FitSettings.MaxBlurSigma}.");
    }

    public void AddTo(Command command)
    {
        command.Options.Add(backbone);
        command.Options.Add(profile);
        foreach (var option in options) command.Options.Add(option);
        command.Validators.Add(CheckCrop);
    }

    /// <summary>The name of the chosen backbone.</summary>
    public string BackboneName(ParseResult arguments) => arguments.GetValue(backbone)!;

    /// <summary>The chosen settings.</summary>
    public FitSettings Settings(ParseResult arguments) => Settings(arguments.CommandResult);

    private FitSettings Settings(SymbolResult arguments)
    {
        var start = adapt(arguments, arguments.GetValue(profile) == "paper" ? FitSettings.Paper : Defaults);
        return stated.Aggregate(start, (settings, apply) => apply(arguments, settings));
    }

    private Option<T> Add<T>(string name, string description, Func<FitSettings, T, FitSettings> apply)
    {
        var option = new Option<T>(name) { Description = description };
        options.Add(option);
        stated.Add((arguments, settings) => arguments.GetResult(option) is null ? settings : apply(settings, arguments.GetValue(option)!));
        return option;
    }

    private void CheckCrop(CommandResult arguments)
    {
        try
        {
            var settings = Settings(arguments);
            if (settings.CropSize is { } crop && (crop < FitSettings.MinSize || crop > settings.ImageSize))
                arguments.AddError($"--crop-size must lie between {FitSettings.MinSize} and the image size; here it is {crop}, and the image size {settings.ImageSize}.");
        }
        catch (InvalidOperationException)
        {
            // A text that is no value of its option is reported by the parser.
        }
    }

    private static int CropSize(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (text == "none") return 0;
        if (!int.TryParse(text, out var side)) argument.AddError($"--crop-size takes a number of pixels or none, not '{text}'.");
        return side;
    }

    private static ReductionMethod Reduction(string name) => name switch
    {
        "random" => ReductionMethod.Random,
        "none" => ReductionMethod.None,
        _ => ReductionMethod.SemiOrthogonal,
    };
}
