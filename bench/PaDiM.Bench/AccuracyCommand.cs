using System.CommandLine;
using PaDiM.Bench.Measuring;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench;

/// <summary>
/// Measures the effect of each setting: image AUROC, pixel AUROC and AU-PRO (masks at the prepared size) for every
/// combination of the given values, on folders in the layout of MVTec AD. Prints one row per combination; with a subset
/// of the images, the mean over several draws.
/// </summary>
internal sealed class AccuracyCommand
{
    private readonly Argument<string[]> _roots = new("category")
    {
        Description = "Folders with train/good, test/DEFECT and ground_truth/DEFECT.",
        Arity = ArgumentArity.OneOrMore,
    };
    private readonly Option<string[]> _directories = new("--backbones")
    {
        Description = "Folders with more backbones.",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string[]> _backbones = CreateListOption(
        "--backbone",
        "Backbones.",
        BackboneRegistry.DefaultName
    );
    private readonly Option<ReductionMethod[]> _reductions = CreateListOption(
        "--reduction",
        "Reductions.",
        ReductionMethod.SemiOrthogonal
    );
    private readonly Option<PatchPositions[]> _positions = CreateListOption(
        "--positions",
        "Whether each position has a Gaussian of its own, or all share one.",
        PatchPositions.Own
    );
    private readonly Option<int[]> _dimensions = CreateListOption(
        "--dimensions",
        "Dimensions of the embedding.",
        new FitSettings().Dimensions
    );
    private readonly Option<int[]> _seeds = CreateListOption(
        "--seed",
        "Seeds of the reduction.",
        new FitSettings().Seed
    );
    private readonly Option<int[]> _crops = CreateListOption("--crop", "Sides of the centre crop; 0 for none.", 0);
    private readonly Option<double[]> _sigmas = CreateListOption(
        "--sigma",
        "Standard deviations of the smoothing, in pixels.",
        new FitSettings().BlurSigma
    );
    private readonly Option<bool[]> _localAverages = CreateListOption(
        "--local-average",
        "Whether each tap is averaged with its neighbours.",
        new FitSettings().LocalAverage
    );
    private readonly Option<ImageScoreMethod[]> _imageScores = CreateListOption(
        "--image-score",
        "How the score of an image follows from its map.",
        new FitSettings().ImageScore
    );
    private readonly Option<double[]> _epsilons = CreateListOption(
        "--epsilon",
        "Added to every variance.",
        new FitSettings().Epsilon
    );
    private readonly Option<double[]> _ridges = CreateListOption(
        "--ridge",
        "Shares of the mean variance added to every variance; 0 for epsilon.",
        new FitSettings().RelativeRidge
    );
    private readonly Option<double[]> _exponents = CreateListOption(
        "--quiet",
        "Exponents of the weights of quiet positions; 0 for none.",
        new FitSettings().QuietExponent
    );
    private readonly Option<ShrinkageMethod[]> _shrinkages = CreateListOption(
        "--shrinkage",
        "Shrinkages.",
        new FitSettings().Shrinkage
    );
    private readonly Option<int[]> _counts = CreateListOption("--images", "Numbers of training images; 0 for all.", 0);
    private readonly Option<int> _draws = new("--draws")
    {
        Description = "Random draws when not all images are used.",
        DefaultValueFactory = _ => 5,
    };

    private readonly Option<int> _imageSize = new("--image-size")
    {
        Description = "Side of the images; a multiple of the patch for vision transformers.",
        DefaultValueFactory = _ => new FitSettings().ImageSize,
    };
    private readonly Option<double> _seconds = new("--time")
    {
        Description =
            "Seconds in which scores with all networks are timed in turn, for a second table: figures and milliseconds"
            + " by network and folder, the mean over the seeds and other values given. 0 for no such table.",
    };
    private readonly List<MeasuredNetwork> _measured = [];

    private AccuracyCommand() { }

    public static Command Create()
    {
        var accuracy = new AccuracyCommand();
        var command = new Command("accuracy", "Measure the accuracy of every combination of the given values.")
        {
            accuracy._roots,
            accuracy._directories,
            accuracy._backbones,
            accuracy._reductions,
            accuracy._positions,
            accuracy._dimensions,
            accuracy._seeds,
            accuracy._crops,
            accuracy._localAverages,
            accuracy._sigmas,
            accuracy._imageScores,
            accuracy._epsilons,
            accuracy._ridges,
            accuracy._exponents,
            accuracy._shrinkages,
            accuracy._counts,
            accuracy._draws,
            accuracy._imageSize,
            accuracy._seconds,
        };
        command.SetAction(accuracy.Run);
        return command;
    }

    private void Run(ParseResult arguments)
    {
        using var registry = new BackboneRegistry(
            arguments.GetValue(_directories)!,
            BackboneRuntime.Create(DevicePreference.Cpu)
        );
        ReportTable.PrintHeader(
            "data",
            "backbone",
            "images",
            "crop",
            "positions",
            "reduction",
            "d",
            "seed",
            "local average",
            "epsilon",
            "ridge",
            "quiet",
            "shrinkage",
            "sigma",
            "image score",
            "image AUROC",
            "pixel AUROC",
            "AU-PRO@0.3",
            "AU-PRO@0.05"
        );
        foreach (var root in arguments.GetValue(_roots)!)
        foreach (var backbone in arguments.GetValue(_backbones)!)
        foreach (var crop in arguments.GetValue(_crops)!)
        {
            var features = LabelledFeatures.Read(
                root,
                registry.Open(backbone),
                new FitSettings { ImageSize = arguments.GetValue(_imageSize), CropSize = crop == 0 ? null : crop }
            );
            var data = Path.GetFileName(Path.TrimEndingDirectorySeparator(root));
            foreach (var count in arguments.GetValue(_counts)!)
                Run(
                    arguments,
                    features,
                    count == 0 ? features.TrainingCount : count,
                    registry.Open(backbone),
                    [data, backbone, count == 0 ? "all" : $"{count}", crop == 0 ? "–" : $"{crop}"]
                );
        }
        if (arguments.GetValue(_seconds) is > 0 and var seconds)
            NetworkTable.Print(
                _measured,
                arguments
                    .GetValue(_roots)!
                    .ToDictionary(root => Path.GetFileName(Path.TrimEndingDirectorySeparator(root))),
                new FitSettings
                {
                    ImageSize = arguments.GetValue(_imageSize),
                    CropSize = arguments.GetValue(_crops)![0] is > 0 and var side ? side : null,
                    Reduction = arguments.GetValue(_reductions)![0],
                    Dimensions = arguments.GetValue(_dimensions)![0],
                    BlurSigma = arguments.GetValue(_sigmas)![0],
                },
                TimeSpan.FromSeconds(seconds)
            );
    }

    private void Run(ParseResult arguments, LabelledFeatures features, int count, Backbone backbone, string[] row)
    {
        foreach (var reducing in arguments.GetValue(_reductions)!)
        foreach (var d in arguments.GetValue(_dimensions)!)
        foreach (var seed in arguments.GetValue(_seeds)!)
        {
            var reduction = ChannelReduction.Draw(reducing, backbone.TapChannels, d, seed);
            foreach (var positions in arguments.GetValue(_positions)!.Where(each => CanFit(each, count)))
            foreach (var localAverage in arguments.GetValue(_localAverages)!)
            foreach (
                var (terms, drawn) in MeasureDistances(
                    features,
                    reduction,
                    positions,
                    localAverage,
                    count,
                    count < features.TrainingCount ? arguments.GetValue(_draws) : 1,
                    [.. GetTerms(arguments)]
                )
            )
            foreach (var sigma in arguments.GetValue(_sigmas)!)
            {
                var methods = arguments.GetValue(_imageScores)!;
                var measured = drawn.Select(distances => features.Measure(distances, sigma, methods)).ToArray();
                foreach (var (i, method) in methods.Index())
                {
                    _measured.Add(
                        new(
                            row[0],
                            backbone,
                            [
                                measured.Average(m => m.Images[i].Auroc),
                                measured.Average(m => m.Pixels.Auroc),
                                measured.Average(m => m.Pixels.AuPro30),
                                measured.Average(m => m.Pixels.AuPro05),
                            ]
                        )
                    );
                    ReportTable.PrintRow([
                        .. row,
                        $"{positions}",
                        $"{reduction.Method}",
                        $"{reduction.Dimensions}",
                        reduction.Method == ReductionMethod.None ? "–" : $"{seed}",
                        localAverage ? "yes" : "no",
                        FormattableString.Invariant($"{terms.Epsilon}"),
                        FormattableString.Invariant($"{terms.Ridge}"),
                        FormattableString.Invariant($"{terms.Exponent}"),
                        $"{terms.Shrinkage}",
                        FormattableString.Invariant($"{sigma}"),
                        $"{method}",
                        FormattableString.Invariant($"{measured.Average(m => m.Images[i].Auroc):f4}"),
                        FormattableString.Invariant($"{measured.Average(m => m.Pixels.Auroc):f4}"),
                        FormattableString.Invariant($"{measured.Average(m => m.Pixels.AuPro30):f4}"),
                        FormattableString.Invariant($"{measured.Average(m => m.Pixels.AuPro05):f4}"),
                    ]);
                }
            }
        }
    }

    /// <summary>Gets whether there is a covariance: one image has several patches, but only one at a position.</summary>
    private static bool CanFit(PatchPositions positions, int count) => count > 1 || positions == PatchPositions.Shared;

    private IEnumerable<Terms> GetTerms(ParseResult arguments) =>
        from epsilon in arguments.GetValue(_epsilons)!
        from ridge in arguments.GetValue(_ridges)!
        from exponent in arguments.GetValue(_exponents)!
        from shrinkage in arguments.GetValue(_shrinkages)!
        select new Terms(epsilon, ridge, exponent, shrinkage);

    /// <summary>
    /// Measures the distances of the test images for all terms, draw after draw. The statistics of a draw serve all
    /// terms.
    /// </summary>
    private static (Terms Terms, AnomalyMap[][] Drawn)[] MeasureDistances(
        LabelledFeatures features,
        ChannelReduction reduction,
        PatchPositions positions,
        bool localAverage,
        int count,
        int draws,
        Terms[] terms
    )
    {
        var drawn = terms.Select(each => (each, Drawn: new AnomalyMap[draws][])).ToArray();
        for (var draw = 0; draw < draws; draw++)
        {
            var images = Enumerable.Range(0, features.TrainingCount).ToArray();
            if (count < images.Length)
                new Random(draw).Shuffle(images);
            var (statistics, moments) = Gather(
                features,
                reduction,
                positions,
                localAverage,
                images[..count],
                terms.Any(each => each.Shrinkage == ShrinkageMethod.LedoitWolf)
            );
            foreach (var (each, maps) in drawn)
                maps[draw] = features.Distances(
                    reduction,
                    localAverage,
                    PatchDistribution.Freeze(
                        statistics,
                        new Regularisation(each.Epsilon, ShrinkageRule.Resolve(each.Shrinkage, statistics), moments)
                        {
                            RelativeRidge = each.Ridge,
                            QuietExponent = each.Exponent,
                        }
                    )
                );
        }
        return drawn;
    }

    private static (TrainingStatistics Statistics, FourthMoments? Moments) Gather(
        LabelledFeatures features,
        ChannelReduction reduction,
        PatchPositions positions,
        bool localAverage,
        int[] images,
        bool withMoments
    )
    {
        TrainingStatistics? statistics = null;
        foreach (var batch in images.Chunk(8))
        {
            var embedded = features.Embed(reduction, localAverage, batch);
            statistics ??= TrainingStatistics.Create(positions, embedded[0].Grid, embedded[0].Dimensions, shares: null);
            statistics.Add(embedded);
        }
        if (!withMoments || statistics is not PatchStatistics own)
            return (statistics!, null);
        var moments = new FourthMoments(own.Grid, own.Dimensions);
        foreach (var batch in images.Chunk(8))
            moments.Add(own, features.Embed(reduction, localAverage, batch));
        return (statistics, moments);
    }

    private static Option<T[]> CreateListOption<T>(string name, string description, T byDefault) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => [byDefault],
            AllowMultipleArgumentsPerToken = true,
        };

    /// <summary>What turns a scatter into distances.</summary>
    private readonly record struct Terms(double Epsilon, double Ridge, double Exponent, ShrinkageMethod Shrinkage);
}
