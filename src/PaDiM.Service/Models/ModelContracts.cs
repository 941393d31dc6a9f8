namespace PaDiM.Service.Models;

/// <summary>A published version of a category's model.</summary>
/// <param name="Version">Number, counting from 1; never used twice.</param>
/// <param name="CreatedAt">When it was published.</param>
/// <param name="Active">It is the one that scores.</param>
/// <param name="Backbone">The network that it was fitted with.</param>
/// <param name="ImageCount">Training images n.</param>
/// <param name="Dimensions">Dimensions d.</param>
/// <param name="Grid">Rows and columns of patch positions.</param>
/// <param name="Threshold">As calibrated at falseRejectRate when it was published.</param>
/// <param name="FalseRejectRate">The rate asked for when it was published.</param>
/// <param name="SmallestFalseRejectRate">1 / (n + 1): no smaller rate can be promised.</param>
/// <param name="LooScores">Leave-one-out scores of the training images.</param>
/// <param name="Outliers">Training images that stand far out, worst first: look at them.</param>
/// <param name="RankDeficient">Fewer images than dimensions + 1; epsilon carries the open directions.</param>
/// <param name="StatisticsBytes">Size of its file.</param>
/// <param name="Sha256">Hash of its file.</param>
internal sealed record ModelResponse(
    int Version,
    DateTime CreatedAt,
    bool Active,
    ModelBackbone Backbone,
    int ImageCount,
    int Dimensions,
    int[] Grid,
    double Threshold,
    double FalseRejectRate,
    double SmallestFalseRejectRate,
    LooScores LooScores,
    IReadOnlyList<OutlierResponse> Outliers,
    bool RankDeficient,
    long StatisticsBytes,
    string Sha256)
{
    /// <summary>Describes a row.</summary>
    /// <param name="model">The row.</param>
    /// <param name="active">It is the one that scores.</param>
    /// <param name="imageIds">Identifiers of stored images by hash; images that are gone keep their hash as identifier.</param>
    public static ModelResponse From(StoredModel model, bool active, IReadOnlyDictionary<string, string> imageIds) => new(
        model.Version, model.CreatedAt, active, new ModelBackbone(model.BackboneName, model.BackboneSha256), model.ImageCount, model.Dimensions,
        [model.GridHeight, model.GridWidth], model.Threshold, model.FalseRejectRate, model.SmallestFalseRejectRate, new LooScores(model.LooMin, model.LooMedian, model.LooMax),
        [.. model.Outliers.Select(o => new OutlierResponse(imageIds.GetValueOrDefault(o.ImageSha256, o.ImageSha256), o.Score, o.PValue))],
        model.RankDeficient, model.StatisticsBytes, model.Sha256);
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
