using System.ComponentModel.DataAnnotations;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Http;

namespace PaDiM.Service.Data;

/// <summary>What a model achieved on the labelled images of its category.</summary>
internal sealed class StoredEvaluation
{
    /// <summary>That of the job that made it.</summary>
    [MaxLength(32)]
    public required string Id { get; init; }

    [MaxLength(CategoryName.MaxLength)]
    public required string Category { get; init; }

    public int ModelVersion { get; init; }

    public DateTime CreatedAt { get; init; }

    /// <summary>The <see cref="EvaluationFigures"/>, as JSON.</summary>
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

    /// <summary>The model was fitted to it, and this is its leave-one-out score.</summary>
    public bool LeaveOneOut { get; init; }
}
