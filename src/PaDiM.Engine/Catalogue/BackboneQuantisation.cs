namespace PaDiM.Engine.Catalogue;

/// <summary>How an int8 backbone was made.</summary>
/// <param name="Of">Name of the float32 backbone.</param>
/// <param name="Sha256">SHA-256 of the float32 file, lower-case hexadecimal.</param>
/// <param name="Method">Calibration and rounding, in words.</param>
/// <param name="CalibrationImages">Images that the ranges were measured on.</param>
/// <param name="HeldOutImages">Other images, which <paramref name="Sqnr"/> was measured on.</param>
/// <param name="Sqnr">Signal to quantisation noise of each tap, in dB, against the float32 backbone.</param>
public sealed record BackboneQuantisation(
    string Of,
    string Sha256,
    string Method,
    int CalibrationImages,
    int HeldOutImages,
    IReadOnlyList<double> Sqnr
);
