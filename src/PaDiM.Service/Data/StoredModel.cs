using System.ComponentModel.DataAnnotations;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Statistics;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>A published version of a category's model; its statistics are kept in a file.</summary>
internal sealed class StoredModel
{
    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int Version { get; set; }

    public DateTime CreatedAt { get; init; }

    /// <summary>The job that fitted the model; unique, so no job publishes twice. Null for imported models.</summary>
    [MaxLength(32)]
    public string? JobId { get; init; }

    [MaxLength(200)]
    public required string BackboneName { get; init; }

    [MaxLength(64)]
    public required string BackboneSha256 { get; init; }

    public int ImageCount { get; init; }

    public int Dimensions { get; init; }

    public int GridHeight { get; init; }

    public int GridWidth { get; init; }

    /// <summary>The calibrated threshold at the time of publication.</summary>
    public double Threshold { get; init; }

    public double FalseRejectRate { get; init; }

    /// <summary>A threshold set manually for this model, replacing the calibrated one.</summary>
    public double? ThresholdOverride { get; set; }

    public double SmallestFalseRejectRate { get; init; }

    public double LooMin { get; init; }

    public double LooMedian { get; init; }

    public double LooMax { get; init; }

    public List<ModelOutlier> Outliers { get; init; } = [];

    /// <summary>Near-duplicate, blurred and wrongly exposed training images.</summary>
    public List<ModelFinding> Findings { get; init; } = [];

    /// <summary>What the training images are like; null for models of before, which have no profile.</summary>
    public InputProfile? Profile { get; init; }

    /// <summary>Ignored share of the image.</summary>
    public double IgnoredShare { get; init; }

    public bool RankDeficient { get; init; }

    /// <summary>Which patches a Gaussian describes; null for models of before, whose positions have their own.</summary>
    public PatchPositions? Positions { get; init; }

    /// <summary>How the covariances were shrunk; null for models of before.</summary>
    public ShrinkageMethod? Shrinkage { get; init; }

    /// <summary>Name of the file within the category's folder.</summary>
    [MaxLength(100)]
    public required string FileName { get; init; }

    public long StatisticsBytes { get; init; }

    /// <summary>Hash of the file.</summary>
    [MaxLength(64)]
    public required string Sha256 { get; init; }
}

/// <summary>A training image that deserves a check.</summary>
internal sealed class ModelFinding
{
    [MaxLength(64)]
    public required string ImageSha256 { get; init; }

    public TrainingFindingKind Kind { get; init; }

    public double Deviations { get; init; }

    /// <summary>The earlier image that it duplicates.</summary>
    [MaxLength(64)]
    public string? OfSha256 { get; init; }
}

/// <summary>A training image that the other images do not explain.</summary>
internal sealed class ModelOutlier
{
    [MaxLength(64)]
    public required string ImageSha256 { get; init; }

    public double Score { get; init; }

    public double PValue { get; init; }
}
