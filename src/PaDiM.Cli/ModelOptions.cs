using System.CommandLine;
using System.CommandLine.Parsing;
using PaDiM.Core.Alignment;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Cli;

/// <summary>The options that decide what a fit computes: a profile, and settings that override it.</summary>
internal sealed class ModelOptions
{
    private static readonly FitSettings Defaults = new();

    private readonly Option<string> _backbone = new("--backbone")
    {
        Description = "Name of the backbone.",
        DefaultValueFactory = _ => BackboneRegistry.DefaultName,
    };
    private readonly Option<string> _profile = new("--profile")
    {
        Description =
            "Settings to start from: the service's defaults, or the paper's (centre crop 224, random channels).",
        DefaultValueFactory = _ => "default",
    };
    private readonly Option<string?> _ignoreMask = new("--ignore-mask")
    {
        Description = "Image of the camera's view, of any size; its white pixels do not count.",
        HelpName = "file",
    };
    private readonly List<Option> _options = [];
    private readonly List<Func<SymbolResult, FitSettings, FitSettings>> _overrides = [];
    private readonly Func<SymbolResult, FitSettings, FitSettings> _adapt;
    private readonly Option<int> _imageSize;

    /// <summary>Creates the options of a command.</summary>
    /// <param name="adapt">Changes the profile before the given options are applied; null for no change.</param>
    public ModelOptions(Func<SymbolResult, FitSettings, FitSettings>? adapt = null)
    {
        _adapt = adapt ?? ((_, settings) => settings);
        _backbone.CompletionSources.Add(_ => BackboneOptions.ListNames());
        _profile.AcceptOnlyFromAmong("default", "paper");
        _imageSize = Add<int>(
            "--image-size",
            $"Side of the square that images are resized to, in pixels ({Defaults.ImageSize}).",
            (settings, side) => settings with { ImageSize = side }
        );
        _imageSize.Require(
            side => side is >= FitSettings.MinSize and <= FitSettings.MaxTiledSize,
            $"--image-size must be between {FitSettings.MinSize} and {FitSettings.MaxSize}, or "
                + $"{FitSettings.MaxTiledSize} with tiles."
        );
        AddSide("--image-width", "Width", (settings, side) => settings with { ImageWidth = side });
        AddSide("--image-height", "Height", (settings, side) => settings with { ImageHeight = side });
        Add<string>(
                "--aspect",
                "What becomes of images of another shape: stretched, shown whole with a border that never counts, or "
                    + "cut (stretch).",
                (settings, name) => settings with { Aspect = ParseAspect(name) }
            )
            .AcceptOnlyFromAmong("stretch", "letterbox", "crop");
        Add<int>(
                "--tile-size",
                "Side of the tiles in which images pass through the backbone, in pixels; for small defects on large "
                    + "images (no tiles).",
                (settings, side) =>
                    settings with
                    {
                        Tiles = new TileSettings(side, TileSettings.GetDefaultOverlap(side)),
                    }
            )
            .Require(
                side => side is >= FitSettings.MinSize and <= FitSettings.MaxSize,
                $"--tile-size must be between {FitSettings.MinSize} and {FitSettings.MaxSize}."
            );
        Add<int>(
            "--tile-overlap",
            "How far tiles overlap, in pixels (64, or half of a small tile).",
            (settings, overlap) =>
                settings with
                {
                    Tiles = (settings.Tiles ?? new TileSettings(0, 0)) with { Overlap = overlap },
                }
        );
        Add<int>(
            "--crop-size",
            "Side of the centre crop after resizing, in pixels; none (or 0) for no crop.",
            (settings, side) => settings with { CropSize = side == 0 ? null : side }
        ).CustomParser = ParseCropSize;
        Add<string>(
                "--positions",
                "Whether each position has a Gaussian of its own, or all share one (own).",
                (settings, name) =>
                    settings with
                    {
                        Positions = name == "shared" ? PatchPositions.Shared : PatchPositions.Own,
                    }
            )
            .AcceptOnlyFromAmong("own", "shared");
        Add<string>(
                "--reduction",
                "How channels are reduced (semi-orthogonal).",
                (settings, name) => settings with { Reduction = ParseReduction(name) }
            )
            .AcceptOnlyFromAmong("semi-orthogonal", "random", "none");
        Add<int>(
                "--dimensions",
                $"Dimensions of the embedding ({Defaults.Dimensions}; the paper's with --profile paper).",
                (settings, count) => settings with { Dimensions = count }
            )
            .Require(count => count is >= 1 and <= 4096, "--dimensions must be between 1 and 4096.");
        Add<int>(
            "--seed",
            $"Seed of everything random ({Defaults.Seed}).",
            (settings, seed) => settings with { Seed = seed }
        );
        Add<bool>(
            "--local-average",
            $"Whether each tap is averaged with its neighbours ({(Defaults.LocalAverage ? "true" : "false")}).",
            (settings, averages) => settings with { LocalAverage = averages }
        );
        Add<double>(
                "--epsilon",
                $"Added to every variance ({Defaults.Epsilon}).",
                (settings, value) => settings with { Epsilon = value }
            )
            .Require(
                value => value is >= FitSettings.MinEpsilon and <= FitSettings.MaxEpsilon,
                FormattableString.Invariant(
                    $"--epsilon must be between {FitSettings.MinEpsilon} and {FitSettings.MaxEpsilon}."
                )
            );
        Add<double>(
                "--relative-ridge",
                $"Share of the mean variance that is added to every variance, in place of epsilon; 0 for epsilon "
                    + $"({Defaults.RelativeRidge}).",
                (settings, value) => settings with { RelativeRidge = value }
            )
            .Require(
                value => value is >= 0 and <= FitSettings.MaxRelativeRidge,
                $"--relative-ridge must be between 0 and {FitSettings.MaxRelativeRidge}."
            );
        Add<double>(
                "--quiet-exponent",
                $"How much less positions count that hardly vary; 0 for no less ({Defaults.QuietExponent}).",
                (settings, value) => settings with { QuietExponent = value }
            )
            .Require(
                value => value is >= 0 and <= FitSettings.MaxQuietExponent,
                $"--quiet-exponent must be between 0 and {FitSettings.MaxQuietExponent}."
            );
        Add<double>(
                "--blur-sigma",
                $"Standard deviation of the smoothing, in pixels ({Defaults.BlurSigma}).",
                (settings, value) => settings with { BlurSigma = value }
            )
            .Require(
                value => value is >= 0 and <= FitSettings.MaxBlurSigma,
                $"--blur-sigma must be between 0 and {FitSettings.MaxBlurSigma}."
            );
        Add<string>(
                "--image-score",
                $"The score of an image: its largest pixel, or the mean of the highest 1 % ({ToName(Defaults.ImageScore)}).",
                (settings, name) =>
                    settings with
                    {
                        ImageScore = name == "top" ? ImageScoreMethod.Top : ImageScoreMethod.Max,
                    }
            )
            .AcceptOnlyFromAmong("max", "top");
        Add<string>(
                "--shrinkage",
                "How covariances are shrunk towards a sphere, for few images; auto chooses by their number (auto).",
                (settings, name) => settings with { Shrinkage = ParseShrinkage(name) }
            )
            .AcceptOnlyFromAmong("none", "ledoit-wolf", "oas", "auto");
        Add<string>(
                "--alignment",
                "How parts that are placed differently in each photograph are aligned (none).",
                (settings, name) =>
                    settings with
                    {
                        Alignment = name == "rigid" ? AlignmentMethod.Rigid : AlignmentMethod.None,
                    }
            )
            .AcceptOnlyFromAmong("none", "rigid");
        Add<string>(
                "--region",
                "The part of each image that is inspected: x,y,width,height in fractions of its width and height (all).",
                (settings, text) => settings with { Region = ImageRegion.TryParse(text) }
            )
            .Require(
                text => ImageRegion.TryParse(text) is { } region && region.Validate() is null,
                "--region must be x,y,width,height in fractions of the image, such as 0.25,0.1,0.5,0.3, within it."
            );
        Add<int>(
                SignificantBitsOption.Name,
                SignificantBitsOption.Description + " (what each file states, else all).",
                (settings, bits) => settings with { SignificantBits = bits }
            )
            .Require(SignificantBitsOption.IsValid, SignificantBitsOption.Fault);
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_backbone);
        command.Options.Add(_profile);
        foreach (var option in _options)
            command.Options.Add(option);
        command.Options.Add(_ignoreMask);
        command.Validators.Add(CheckSettings);
    }

    /// <summary>Gets the name of the chosen backbone.</summary>
    public string GetBackboneName(ParseResult arguments) => arguments.GetValue(_backbone)!;

    /// <summary>Gets the chosen settings. The paper's dimensions depend on the backbone.</summary>
    public FitSettings GetSettings(ParseResult arguments, Backbone backbone) =>
        GetSettings(
            arguments.CommandResult,
            BackboneCatalogue.Known.GetPaperSettings(backbone.File.Name, backbone.Manifest)
        );

    /// <summary>Gets the file of the ignore mask; null if all pixels count.</summary>
    public string? GetIgnoreMaskFile(ParseResult arguments) => arguments.GetValue(_ignoreMask);

    /// <summary>Gets whether an ignore mask is given.</summary>
    public bool HasIgnoreMask(SymbolResult arguments) => arguments.GetResult(_ignoreMask) is not null;

    /// <summary>Reads the pixels that do not count, at the image size; null if all count.</summary>
    /// <exception cref="InvalidDataException">The mask cannot be read.</exception>
    public bool[]? ReadIgnoreMask(ParseResult arguments)
    {
        if (GetIgnoreMaskFile(arguments) is not { } path)
            return null;
        return new ImageDecoder()
            .Decode(File.ReadAllBytes(path), DecodeOptions.Mask)
            .TryGetImage(out var mask, out var refused)
            ? MaskImage.GetMarks(mask, GetSettings(arguments.CommandResult, FitSettings.Paper))
            : throw new InvalidDataException($"The ignore mask {path} cannot be read: {refused.Detail}");
    }

    private FitSettings GetSettings(SymbolResult arguments, FitSettings paper)
    {
        var start = _adapt(arguments, arguments.GetValue(_profile) == "paper" ? paper : Defaults);
        return _overrides.Aggregate(start, (settings, apply) => apply(arguments, settings));
    }

    private Option<T> Add<T>(string name, string description, Func<FitSettings, T, FitSettings> apply)
    {
        var option = new Option<T>(name) { Description = description };
        _options.Add(option);
        _overrides.Add(
            (arguments, settings) =>
                arguments.GetResult(option) is null ? settings : apply(settings, arguments.GetValue(option)!)
        );
        return option;
    }

    private void CheckSettings(CommandResult arguments)
    {
        try
        {
            var settings = GetSettings(arguments, FitSettings.Paper);
            var size = settings.GetImageSize();
            var shorter = Math.Min(size.Width, size.Height);
            if (
                arguments.GetResult(_imageSize) is not null
                && (settings.ImageWidth ?? settings.ImageHeight) is not null
            )
                arguments.AddError("--image-size is the side of a square: leave it out with two sides.");
            else if (settings.ImageWidth is null != settings.ImageHeight is null)
                arguments.AddError("--image-width and --image-height belong together.");
            else if (settings.CropSize is { } crop && (crop < FitSettings.MinSize || crop > shorter))
                arguments.AddError(
                    $"--crop-size must be between {FitSettings.MinSize} and the image size ({shorter}), not {crop}."
                );
            else if (settings.Validate() is { } fault)
                arguments.AddError(fault);
        }
        catch (InvalidOperationException)
        {
            // The parser itself reports a text that is not a valid value of its option.
        }
    }

    private void AddSide(string name, string side, Func<FitSettings, int, FitSettings> apply) =>
        Add(name, $"{side} that images are resized to, in pixels, with the other side in place of --image-size.", apply)
            .Require(
                value => value is >= FitSettings.MinSize and <= FitSettings.MaxTiledSize,
                $"{name} must be between {FitSettings.MinSize} and {FitSettings.MaxSize}, or "
                    + $"{FitSettings.MaxTiledSize} with tiles."
            );

    private static AspectMode ParseAspect(string name) =>
        name switch
        {
            "letterbox" => AspectMode.Letterbox,
            "crop" => AspectMode.Crop,
            _ => AspectMode.Stretch,
        };

    private static int ParseCropSize(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (text == "none")
            return 0;
        if (!int.TryParse(text, out var side))
            argument.AddError($"--crop-size must be a number of pixels or none, not '{text}'.");
        return side;
    }

    private static ShrinkageMethod ParseShrinkage(string name) =>
        name switch
        {
            "ledoit-wolf" => ShrinkageMethod.LedoitWolf,
            "oas" => ShrinkageMethod.Oas,
            "auto" => ShrinkageMethod.Auto,
            _ => ShrinkageMethod.None,
        };

    private static string ToName(ImageScoreMethod method) => method == ImageScoreMethod.Top ? "top" : "max";

    private static ReductionMethod ParseReduction(string name) =>
        name switch
        {
            "random" => ReductionMethod.Random,
            "none" => ReductionMethod.None,
            _ => ReductionMethod.SemiOrthogonal,
        };
}
