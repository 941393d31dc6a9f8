using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Scoring;

/// <summary>Finds what is unusual about an image compared with those that a model was fitted to.</summary>
public static class InputChecker
{
    /// <summary>Checks an image before it is scored.</summary>
    /// <param name="model">The model.</param>
    /// <param name="decoded">The image, with what its decoder tolerated.</param>
    /// <param name="traits">What the image is like.</param>
    public static IReadOnlyList<InputWarning> Check(
        PadimModel model,
        DecodeResult.Decoded decoded,
        InputTraits traits
    ) =>
        [
            .. decoded.Warnings.Select(warning => new InputWarning(ToCode(warning.Kind), warning.Detail)),
            .. InputProfile.Check(model.Profile, traits with { Size = decoded.FileSize }),
        ];

    /// <summary>Checks an image by its anomaly map.</summary>
    public static InputWarning? Check(PadimModel model, AnomalyMap map) =>
        model.Profile?.CheckDistance(MedianDistance.Compute(map));

    private static string ToCode(ImageWarningKind kind) =>
        kind switch
        {
            ImageWarningKind.FileRepaired => InputWarningCodes.FileRepaired,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
}
