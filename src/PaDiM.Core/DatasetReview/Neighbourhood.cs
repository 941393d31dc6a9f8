namespace PaDiM.Core.DatasetReview;

/// <summary>The neighbours of an image in its set.</summary>
/// <param name="Nearest">The nearest other images, nearest first.</param>
/// <param name="LogMiddleDistance">Natural logarithm of the median distance to the other images, without compensation
/// for shifts.</param>
internal sealed record Neighbourhood(Neighbour[] Nearest, double LogMiddleDistance);
