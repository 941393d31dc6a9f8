namespace PaDiM.Core.DatasetReview;

/// <summary>Something about a training image that its owner should look at; nothing is removed.</summary>
/// <param name="Index">Index of the image in the training order.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Deviations"> How far the image stands out, in robust standard deviations of the set, 0 or more; what
/// clips most of its pixels, or all but equals another image, is found however few they are. </param>
/// <param name="Of">For a <see cref="TrainingFindingKind.NearDuplicate"/> the index of the earliest image that it
/// repeats; null otherwise.</param>
public sealed record TrainingFinding(int Index, TrainingFindingKind Kind, double Deviations, int? Of = null);
