using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Fitting;

/// <summary>An image of a normal part, to be fitted.</summary>
/// <param name="Sha256">Hash of its bytes, lower-case hexadecimal: its identity.</param>
/// <param name="Read">Reads its bytes; called only when its embedding is not at hand.</param>
/// <param name="Name">What its user calls it; its hash when null.</param>
public sealed record TrainingImage(string Sha256, Func<byte[]> Read, string? Name = null)
{
    /// <summary>Its pixels.</summary>
    /// <exception cref="FitException">It cannot be read any more.</exception>
    internal RgbImage Decode(ImageDecoder decoder) =>
        decoder.Decode(Read()) switch
        {
            DecodeResult.Decoded decoded => decoded.Image,
            DecodeResult.Refused refused => throw new FitException(
                "image_unreadable",
                $"The training image {this} cannot be read: {refused.Detail}"
            ),
            _ => throw new InvalidOperationException(),
        };

    /// <inheritdoc/>
    public override string ToString() => Name ?? Sha256;
}

/// <summary>How far a fit has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Progress">Share of the whole fit, 0 to 1.</param>
public readonly record struct FitProgress(FitStage Stage, double Progress);

/// <summary>The stages of a fit, in order.</summary>
public enum FitStage
{
    /// <summary>The mean image is found that all others are aligned to; only where the settings ask for it.</summary>
    Aligning,

    /// <summary>Images pass through the backbone into the statistics.</summary>
    Embedding,

    /// <summary>Covariances are factorised.</summary>
    Factorising,

    /// <summary>Leave-one-out scores are computed.</summary>
    Calibrating,

    /// <summary>The model is written and made visible.</summary>
    Publishing,
}

/// <summary>A fit cannot go on for a reason that its user can mend.</summary>
/// <param name="code">A stable code.</param>
/// <param name="message">A sentence that says what to do.</param>
public sealed class FitException(string code, string message) : Exception(message)
{
    /// <summary>A stable code.</summary>
    public string Code { get; } = code;
}
