using System.Globalization;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.LookoutForVision;

/// <summary>Names of resources. There are no regions and accounts here, which the form of a name asks for.</summary>
internal static class LookoutArn
{
    private const string Account = "arn:aws:lookoutvision:local:000000000000";

    public static string OfProject(string category) => $"{Account}:project/{category}";

    public static string OfModel(string category, string version) => $"{Account}:model/{category}/{version}";
}

internal sealed record ListProjectsResponse(IEnumerable<ProjectMetadata> Projects, string? NextToken);

internal sealed record ProjectMetadata(string ProjectArn, string ProjectName, double CreationTimestamp)
{
    public static ProjectMetadata From(CategoryResponse category) =>
        new(LookoutArn.OfProject(category.Name), category.Name, LookoutJson.ToSeconds(category.CreatedAt));
}

internal sealed record DescribeProjectResponse(ProjectDescription ProjectDescription);

internal sealed record ProjectDescription(
    string ProjectArn,
    string ProjectName,
    double CreationTimestamp,
    IReadOnlyList<DatasetMetadata> Datasets
);

internal sealed record DatasetMetadata(string DatasetType, double CreationTimestamp, string Status);

internal sealed record ListModelsResponse(IEnumerable<ModelDescription> Models, string? NextToken);

internal sealed record DescribeModelResponse(ModelDescription ModelDescription);

/// <summary>A version of a model.</summary>
internal sealed record ModelDescription(
    string ModelVersion,
    string ModelArn,
    double CreationTimestamp,
    string Status,
    string StatusMessage
)
{
    public static ModelDescription From(string category, ModelResponse model, HostingMarks marks)
    {
        var version = model.Version.ToString(CultureInfo.InvariantCulture);
        var (status, message) =
            model.State != ModelState.Ready
                ? (HostingStatus.Failed, "The file of the version is damaged or missing; it does not score.")
            : marks.IsStopped(category, model.Version)
                ? (HostingStatus.Trained, "A client has stopped this version. It scores nevertheless.")
            : (HostingStatus.Hosted, model.Active ? "The active version." : "A version that is not active scores too.");
        return new ModelDescription(
            version,
            LookoutArn.OfModel(category, version),
            LookoutJson.ToSeconds(model.CreatedAt),
            status,
            message
        );
    }
}

/// <summary>What a version of a model is doing, in the words of the API.</summary>
internal static class HostingStatus
{
    public const string Hosted = "HOSTED",
        Trained = "TRAINED",
        Starting = "STARTING_HOSTING",
        Stopping = "STOPPING_HOSTING",
        Failed = "HOSTING_FAILED";
}

internal sealed record HostingResponse(string Status);

internal sealed record DetectAnomaliesResponse(DetectAnomalyResult DetectAnomalyResult);

/// <summary>What was found in an image.</summary>
internal sealed record DetectAnomalyResult(
    ImageSource Source,
    bool IsAnomalous,
    double Confidence,
    IReadOnlyList<Anomaly> Anomalies,
    byte[]? AnomalyMask
)
{
    private const string Background = "background",
        Defect = "anomaly",
        Black = "#000000",
        White = "#FFFFFF";

    /// <summary>
    /// Creates the result. The confidence is the p-value's support for the answer: 1 - p for a defect, p for a good part.
    /// </summary>
    public static DetectAnomalyResult From(ScoreResponse score)
    {
        var isAnomalous = score.Decision == Decision.Anomalous;
        var area = isAnomalous ? score.DefectAreaPercent / 100 : 0;
        var background = new Anomaly(Background, new PixelAnomaly(1 - area, Black));
        return new DetectAnomalyResult(
            new ImageSource("direct"),
            isAnomalous,
            isAnomalous ? 1 - score.PValue : score.PValue,
            isAnomalous ? [background, new Anomaly(Defect, new PixelAnomaly(area, White))] : [background],
            isAnomalous ? score.Heatmap : null
        );
    }
}

internal sealed record ImageSource(string Type);

internal sealed record Anomaly(string Name, PixelAnomaly PixelAnomaly);

/// <summary>The pixels of an anomaly.</summary>
/// <param name="TotalPercentageArea">Their share of the image, from 0 to 1 in spite of its name.</param>
/// <param name="Color">Their colour in the mask.</param>
internal sealed record PixelAnomaly(double TotalPercentageArea, string Color);
