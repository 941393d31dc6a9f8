using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>The results of a model on the labelled images of its category.</summary>
internal sealed class StoredEvaluation
{
    /// <summary>Equal to the identifier of its job.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int ModelVersion { get; init; }

    public DateTime CreatedAt { get; init; }

    /// <summary>The measured figures, as JSON.</summary>
    public required string Figures { get; init; }

    public List<StoredScore> Scores { get; init; } = [];
}

/// <summary>The score of one labelled image.</summary>
internal sealed class StoredScore
{
    [MaxLength(32)]
    public required string ImageId { get; init; }

    public ImageLabel Label { get; init; }

    public string? Defect { get; init; }

    public double Score { get; init; }

    /// <summary>Whether the model was fitted to the image, so that this is its leave-one-out score.</summary>
    public bool LeaveOneOut { get; init; }
}
