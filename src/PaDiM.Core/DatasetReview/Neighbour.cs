namespace PaDiM.Core.DatasetReview;

/// <summary>A neighbour of an image.</summary>
/// <param name="Index">Index in the training order.</param>
/// <param name="LogDistance">Natural logarithm of the distance by <see cref="TangentThumbnail"/>.</param>
internal readonly record struct Neighbour(int Index, double LogDistance);
