namespace PaDiM.Imaging.Preprocessing;

/// <summary>Input = (pixel / 255 - mean) / std, per channel, RGB.</summary>
/// <param name="Mean">Three means, in [0, 1].</param>
/// <param name="Std">Three standard deviations, above 0.</param>
public sealed record Normalisation(float[] Mean, float[] Std)
{
    /// <summary>Gets the values that networks trained on ImageNet use.</summary>
    public static Normalisation ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <inheritdoc/>
    public override string ToString() =>
        FormattableString.Invariant($"(x / 255 - [{string.Join(", ", Mean)}]) / [{string.Join(", ", Std)}]");

    /// <summary>Checks that both arrays have three values in range.</summary>
    /// <exception cref="InvalidDataException">A value is missing or out of range.</exception>
    public void Check()
    {
        if (
            Mean is not { Length: 3 }
            || Std is not { Length: 3 }
            || Std.Any(s => !(s > 0 && float.IsFinite(s)))
            || Mean.Any(m => !float.IsFinite(m))
        )
            throw new InvalidDataException(
                "The manifest's normalisation needs three means and three standard deviations above 0."
            );
    }
}
