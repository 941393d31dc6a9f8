using PaDiM.Core.DatasetReview;
using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>A published version of a category's model.</summary>
/// <param name="Version">Number, counting from 1; never used twice.</param>
/// <param name="CreatedAt">When it was published.</param>
/// <param name="Active">It is the one that scores.</param>
/// <param name="State">How its file was when it was last read: `ready` (or not read since the start), `corrupt` or
/// `missing`. A damaged file never scores.</param>
/// <param name="Backbone">The network that it was fitted with.</param>
/// <param name="ImageCount">Training images n.</param>
/// <param name="Dimensions">Dimensions d.</param>
/// <param name="Grid">Rows and columns of patch positions.</param>
/// <param name="Threshold">As calibrated at falseRejectRate when it was published.</param>
/// <param name="FalseRejectRate">The rate asked for when it was published.</param>
/// <param name="SmallestFalseRejectRate">1 / (n + 1): no smaller rate can be promised.</param>
/// <param name="LooScores">Leave-one-out scores of the training images.</param>
/// <param name="Outliers">Training images that stand far out, worst first: look at them.</param>
/// <param name="Findings">Near-duplicates, blurred and wrongly exposed training images: look at them too.</param>
/// <param name="IgnoredShare">Share of the image that does not count, by the ignore mask of the fit.</param>
/// <param name="RankDeficient">Fewer images than dimensions + 1; epsilon carries the open directions.</param>
/// <param name="StatisticsBytes">Size of its file.</param>
/// <param name="Sha256">Hash of its file.</param>
internal sealed record ModelResponse(
    int Version,
    DateTime CreatedAt,
    bool Active,
    ModelState State,
    ModelBackbone Backbone,
    int ImageCount,
    int Dimensions,
    int[] Grid,
    double Threshold,
    double FalseRejectRate,
    double SmallestFalseRejectRate,
    LooScores LooScores,
    IReadOnlyList<OutlierResponse> Outliers,
    IReadOnlyList<FindingResponse> Findings,
    double IgnoredShare,
    bool RankDeficient,
    long StatisticsBytes,
    string Sha256
)
{
    /// <summary>Describes a row.</summary>
    /// <param name="model">The row.</param>
    /// <param name="active">It is the one that scores.</param>
    /// <param name="state">How its file is.</param>
    /// <param name="imageIds">Identifiers of stored images by hash; images that are gone keep their hash as
    /// identifier.</param>
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
            model.IgnoredShare,
            model.RankDeficient,
            model.StatisticsBytes,
            model.Sha256
        );

        string IdOf(string sha256) => imageIds.GetValueOrDefault(sha256, sha256);
    }
}

/// <summary>A network and its hash.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sha256">Hash of its file.</param>
internal sealed record ModelBackbone(string Name, string Sha256);

/// <summary>Leave-one-out scores in short.</summary>
/// <param name="Min">The smallest.</param>
/// <param name="Median">The one in the middle.</param>
/// <param name="Max">The largest.</param>
internal sealed record LooScores(double Min, double Median, double Max);

/// <summary>A training image that its fellows do not explain.</summary>
/// <param name="ImageId">Identifier of the image; its hash once it is deleted.</param>
/// <param name="Score">Its leave-one-out score.</param>
/// <param name="PValue">Share of training images that score at least as high.</param>
internal sealed record OutlierResponse(string ImageId, double Score, double PValue);

/// <summary>Something about a training image that its owner should look at; nothing is removed.</summary>
/// <param name="ImageId">Identifier of the image; its hash once it is deleted.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Deviations">How far the image stands out, in robust standard deviations of the set.</param>
/// <param name="OfImageId">The earlier image that a near-duplicate repeats; null for the other kinds.</param>
internal sealed record FindingResponse(string ImageId, TrainingFindingKind Kind, double Deviations, string? OfImageId);
