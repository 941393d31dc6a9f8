namespace PaDiM.Core.Calibration;

/// <summary>A training image that its fellows do not explain.</summary>
/// <param name="Index">Index of the image in the training order.</param>
/// <param name="Score">Its leave-one-out score.</param>
/// <param name="PValue">Share of all training images that score at least as high, itself included.</param>
public sealed record TrainingOutlier(int Index, double Score, double PValue);
