using PaDiM.Core.DatasetReview;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Statistics;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>A published version of a category's model.</summary>
/// <param name="Version">Number, from 1; never reused.</param>
/// <param name="CreatedAt">Time of publication.</param>
/// <param name="Active">Whether this version is active.</param>
/// <param name="State">State of the file when it was last read: `ready` (or not read since start-up), `corrupt` or
/// `missing`. A damaged file never scores.</param>
/// <param name="Backbone">The backbone that the model was fitted with.</param>
/// <param name="ImageCount">Number of training images n.</param>
/// <param name="Dimensions">Dimensions d.</param>
/// <param name="Grid">Rows and columns of patch positions.</param>
/// <param name="Positions">Whether each position has a Gaussian of its own, or all share one.</param>
/// <param name="Threshold">The threshold calibrated for falseRejectRate at the time of publication.</param>
/// <param name="FalseRejectRate">The false-reject rate at the time of publication.</param>
/// <param name="SmallestFalseRejectRate">1 / (n + 1): the smallest rate that can be guaranteed.</param>
/// <param name="LooScores">Leave-one-out scores of the training images.</param>
/// <param name="Outliers">Outliers among the training images, worst first; check them.</param>
/// <param name="Findings">Near-duplicate, blurred and wrongly exposed training images; check them too.</param>
/// <param name="Profile">What the training images are like, which decides about the warnings of a score; null for
/// models that were fitted before there were profiles.</param>
/// <param name="IgnoredShare">Share of the image that the fit's ignore mask excludes.</param>
/// <param name="RankDeficient">Whether there are fewer images (or, where positions share a Gaussian, patches) than
/// dimensions + 1, so that the ridge fills the remaining directions.</param>
/// <param name="Shrinkage">How the covariances were shrunk: for <c>auto</c> the method that the fit chose; null
/// for models that were fitted before models stated it.</param>
/// <param name="StatisticsBytes">Size of the file in bytes.</param>
/// <param name="Sha256">Hash of the file.</param>
internal sealed record ModelResponse(
    int Version,
    DateTime CreatedAt,
    bool Active,
    ModelState State,
    ModelBackbone Backbone,
    int ImageCount,
    int Dimensions,
    int[] Grid,
    PatchPositions Positions,
    double Threshold,
    double FalseRejectRate,
    double SmallestFalseRejectRate,
    LooScores LooScores,
    IReadOnlyList<OutlierResponse> Outliers,
    IReadOnlyList<FindingResponse> Findings,
    InputProfile? Profile,
    double IgnoredShare,
    bool RankDeficient,
    ShrinkageMethod? Shrinkage,
    long StatisticsBytes,
    string Sha256
)
{
    /// <summary>Creates the response for a row.</summary>
    /// <param name="model">The row.</param>
    /// <param name="active">Whether this version is active.</param>
    /// <param name="state">State of the file.</param>
    /// <param name="imageIds">Identifiers of stored images by hash; deleted images are listed by their hash.</param>
    public static ModelResponse From(
        StoredModel model,
        bool active,
        ModelState state,
        IReadOnlyDictionary<string, string> imageIds
    )
    {
        return new ModelResponse(
            model.Version,
            model.CreatedAt,
            active,
            state,
            new ModelBackbone(model.BackboneName, model.BackboneSha256),
            model.ImageCount,
            model.Dimensions,
            [model.GridHeight, model.GridWidth],
            model.Positions ?? PatchPositions.Own,
            model.Threshold,
            model.FalseRejectRate,
            model.SmallestFalseRejectRate,
            new LooScores(model.LooMin, model.LooMedian, model.LooMax),
            [.. model.Outliers.Select(o => new OutlierResponse(IdOf(o.ImageSha256), o.Score, o.PValue))],
            [
                .. model.Findings.Select(f => new FindingResponse(
                    IdOf(f.ImageSha256),
                    f.Kind,
                    Math.Round(f.Deviations, 2),
                    f.OfSha256 is { } other ? IdOf(other) : null
                )),
            ],
            model.Profile,
            model.IgnoredShare,
            model.RankDeficient,
            model.Shrinkage,
            model.StatisticsBytes,
            model.Sha256
        );

        string IdOf(string sha256) => imageIds.GetValueOrDefault(sha256, sha256);
    }
}

/// <summary>A backbone and its hash.</summary>
/// <param name="Name">Name.</param>
/// <param name="Sha256">Hash of the file.</param>
internal sealed record ModelBackbone(string Name, string Sha256);

/// <summary>A summary of the leave-one-out scores.</summary>
/// <param name="Min">The minimum.</param>
/// <param name="Median">The median.</param>
/// <param name="Max">The maximum.</param>
internal sealed record LooScores(double Min, double Median, double Max);

/// <summary>A training image that the other images do not explain.</summary>
/// <param name="ImageId">Identifier of the image, or its hash if it was deleted.</param>
/// <param name="Score">Leave-one-out score.</param>
/// <param name="PValue">Share of training images with a score at least as high.</param>
internal sealed record OutlierResponse(string ImageId, double Score, double PValue);

/// <summary>A training image that deserves a check; nothing is removed.</summary>
/// <param name="ImageId">Identifier of the image, or its hash if it was deleted.</param>
/// <param name="Kind">Kind of finding.</param>
/// <param name="Deviations">Deviation from the set, in robust standard deviations.</param>
/// <param name="OfImageId">The earlier image that a near-duplicate repeats; null for other kinds.</param>
internal sealed record FindingResponse(string ImageId, TrainingFindingKind Kind, double Deviations, string? OfImageId);
