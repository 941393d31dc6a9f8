using System.Text.Json.Serialization;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Describes how pixels become the input of a network: (pixel x range / 255 - mean) / std, per channel.
/// </summary>
/// <param name="Mean">Three means, in units of the range and in the network's channel order.</param>
/// <param name="Std">Three standard deviations, above 0, likewise.</param>
/// <param name="Range">What white is before the mean is subtracted: 1, or 255 for networks that take pixels as they
/// are.</param>
/// <param name="ChannelOrder">The network's channel order.</param>
public sealed record Normalisation(
    float[] Mean,
    float[] Std,
    float Range = 1,
    ChannelOrder ChannelOrder = ChannelOrder.Rgb
)
{
    private const float LargestRange = 65535;

    /// <summary>Gets the values that networks trained on ImageNet use.</summary>
    public static Normalisation ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <summary>Gets the planes of the network's input that red, green and blue become.</summary>
    [JsonIgnore]
    public (int Red, int Green, int Blue) Planes => ChannelOrder == ChannelOrder.Bgr ? (2, 1, 0) : (0, 1, 2);

    /// <summary>
    /// Describes the input in words. Models record the text: the same text must always mean the same input.
    /// </summary>
    public override string ToString()
    {
        var scaled =
            Range == 1 ? "x / 255"
            : Range == 255 ? "x"
            : FormattableString.Invariant($"x * {Range} / 255");
        var order = ChannelOrder == ChannelOrder.Bgr ? ", BGR" : "";
        return FormattableString.Invariant($"({scaled} - [{string.Join(", ", Mean)}]) / [{string.Join(", ", Std)}]")
            + order;
    }

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
        if (!(Range > 0 && Range <= LargestRange))
            throw new InvalidDataException(
                FormattableString.Invariant(
                    $"The range of the manifest's normalisation must be above 0 and at most {LargestRange}."
                )
            );
        if (!Enum.IsDefined(ChannelOrder))
            throw new InvalidDataException("The channel order of the manifest's normalisation must be rgb or bgr.");
    }
}
