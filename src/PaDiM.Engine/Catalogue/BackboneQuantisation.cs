namespace PaDiM.Engine.Catalogue;

/// <summary>Describes how an int8 backbone was made.</summary>
/// <param name="Of">Name of the float32 backbone.</param>
/// <param name="Sha256">SHA-256 of the float32 file, lower-case hexadecimal.</param>
/// <param name="Method">Calibration and rounding, in words.</param>
/// <param name="CalibrationImages">Number of images that the ranges were measured on.</param>
/// <param name="HeldOutImages">Number of other images, on which <paramref name="Sqnr"/> was measured.</param>
/// <param name="Sqnr">Ratio of signal to quantisation noise of each tap against the float32 backbone, in dB.</param>
public sealed record BackboneQuantisation(
    string Of,
    string Sha256,
    string Method,
    int CalibrationImages,
    int HeldOutImages,
    IReadOnlyList<double> Sqnr
);
