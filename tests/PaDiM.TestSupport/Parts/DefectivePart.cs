namespace PaDiM.TestSupport.Parts;

/// <summary>A part with a defect, and where the defect is.</summary>
/// <param name="Image">The photograph.</param>
/// <param name="Mask">Shape <c>(Height, Width)</c>, row-major; true where the defect is.</param>
public sealed record DefectivePart(RgbImage Image, bool[] Mask);
