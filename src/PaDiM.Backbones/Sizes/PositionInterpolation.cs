namespace PaDiM.Backbones.Sizes;

/// <summary>Specifies how a table of positions is interpolated; all are bicubic, with half-pixel centres.</summary>
/// <param name="Offset">Added to the number of patches before it is divided by that of the table. DINOv2 without
/// registers was trained with 0.1.</param>
/// <param name="Antialias">Whether the kernel widens where the table becomes smaller, as in DINOv2 with
/// registers.</param>
internal sealed record PositionInterpolation(float Offset, bool Antialias)
{
    /// <summary>DINOv2 without registers.</summary>
    public static PositionInterpolation Offsetting { get; } = new(0.1f, Antialias: false);

    /// <summary>DINOv2 with registers, and timm.</summary>
    public static PositionInterpolation Antialiasing { get; } = new(0, Antialias: true);

    /// <summary>Newer versions of transformers, without registers.</summary>
    public static PositionInterpolation Plain { get; } = new(0, Antialias: false);

    /// <summary>Gets the coefficient of PyTorch's cubic kernel.</summary>
    public float Coefficient => Antialias ? -0.5f : -0.75f;
}
