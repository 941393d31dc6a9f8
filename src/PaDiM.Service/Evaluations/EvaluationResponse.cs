using System.Diagnostics.CodeAnalysis;

namespace PaDiM.Service.Evaluations;

/// <summary>What a model achieved on the labelled images of its category.</summary>
internal sealed record EvaluationResponse : EvaluationMetrics
{
    [SetsRequiredMembers]
    public EvaluationResponse(
        string id,
        string category,
        int modelVersion,
        DateTime createdAt,
        EvaluationMetrics metrics
    )
        : base(metrics)
    {
        Id = id;
        Category = category;
        ModelVersion = modelVersion;
        CreatedAt = createdAt;
    }

    /// <summary>Identifier: that of the job.</summary>
    public string Id { get; init; }

    /// <summary>Whose images.</summary>
    public string Category { get; init; }

    /// <summary>Which model.</summary>
    public int ModelVersion { get; init; }

    /// <summary>When it was measured.</summary>
    public DateTime CreatedAt { get; init; }
}
