namespace PaDiM.Core.Statistics;

/// <summary>What turns M2 into distances at a position: Cov = Scale M2 + Ridge I and M^2 = Weight D^T Cov^-1 D.</summary>
/// <param name="Scale">Factor of M2.</param>
/// <param name="Ridge">Added to every variance; above 0.</param>
/// <param name="Weight">Factor of squared distances, 0 to 1.</param>
internal readonly record struct PositionTerms(double Scale, double Ridge, double Weight);
