using PaDiM.Core.Geometry;
using PaDiM.Engine.Faults;
using PaDiM.Imaging.Decoding;

namespace PaDiM.Engine.Fitting;

/// <summary>Represents an image of a normal part that a model is fitted to.</summary>
/// <param name="Sha256">Hash of its bytes, lower-case hexadecimal, which identifies the image.</param>
/// <param name="Read">Reads its bytes; called only if its embedding is not stored.</param>
/// <param name="Name">Name in messages; null for its hash.</param>
public sealed record TrainingImage(string Sha256, Func<byte[]> Read, string? Name = null)
{
    /// <summary>Gets rows and columns of the upright file; null until it is decoded.</summary>
    public Grid? Size { get; init; }

    /// <summary>Decodes the image.</summary>
    /// <exception cref="UserFaultException">The image can no longer be read.</exception>
    internal DecodeResult.Decoded Decode(ImageDecoder decoder, DecodeOptions options) =>
        decoder.Decode(Read(), options).TryGetDecoded(out var decoded, out var refused)
            ? decoded
            : throw new UserFaultException(
                ProblemCodes.ImageUnreadable,
                $"The training image {this} cannot be read: {refused.Detail}"
            );

    /// <inheritdoc/>
    public override string ToString() => Name ?? Sha256;
}

/// <summary>Represents the progress of a fit.</summary>
/// <param name="Stage">The current stage.</param>
/// <param name="Progress">Share of the whole fit, 0 to 1.</param>
public readonly record struct FitProgress(FitStage Stage, double Progress);

/// <summary>Specifies the stages of a fit, in order.</summary>
public enum FitStage
{
    /// <summary>Builds the mean image that all others are aligned to; only if the settings ask for it.</summary>
    Aligning,

    /// <summary>Embeds the images and adds them to the statistics.</summary>
    Embedding,

    /// <summary>Factorises the covariances.</summary>
    Factorising,

    /// <summary>Computes leave-one-out scores.</summary>
    Calibrating,

    /// <summary>Writes and publishes the model.</summary>
    Publishing,
}
