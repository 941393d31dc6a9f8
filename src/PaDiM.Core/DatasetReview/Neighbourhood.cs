namespace PaDiM.Core.DatasetReview;

/// <summary>Where an image lies in its set.</summary>
/// <param name="Nearest">The nearest other images, nearest first.</param>
/// <param name="LogMiddleDistance">Natural logarithm of the distance that half of the others lie within, shifts not
/// overlooked.</param>
internal sealed record Neighbourhood(Neighbour[] Nearest, double LogMiddleDistance);
