namespace PaDiM.Core.Calibration;

/// <summary>A training image that the other training images do not explain.</summary>
/// <param name="Index">Index of the image in the training order.</param>
/// <param name="Score">Leave-one-out image score, at least 0.</param>
/// <param name="PValue">Share of all training images that score at least as high, including this one.</param>
public sealed record TrainingOutlier(int Index, double Score, double PValue);
