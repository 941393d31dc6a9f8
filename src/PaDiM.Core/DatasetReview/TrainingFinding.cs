namespace PaDiM.Core.DatasetReview;

/// <summary>A property of a training image that a person should look at; nothing is removed.</summary>
/// <param name="Index">Index of the image in the training order.</param>
/// <param name="Kind">Kind of the finding.</param>
/// <param name="Deviations">How far the image differs from the set, in robust standard deviations, at least 0. Images
/// with mostly clipped pixels, and almost identical images, are findings even if the number is small.</param>
/// <param name="Of">For a <see cref="TrainingFindingKind.NearDuplicate"/> the index of the earliest image that it
/// repeats, otherwise null.</param>
public sealed record TrainingFinding(int Index, TrainingFindingKind Kind, double Deviations, int? Of = null);
