namespace PaDiM.Core.DatasetReview;

/// <summary>An image near to another one.</summary>
/// <param name="Index">Index in the training order.</param>
/// <param name="LogDistance">Natural logarithm of the distance, as <see cref="TangentThumbnail"/> has it.</param>
internal readonly record struct Neighbour(int Index, double LogDistance);
