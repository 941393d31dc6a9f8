using PaDiM.Core.Models;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Says how a file becomes pixels. It is part of a model's preprocessing: fit, score and evaluation of a model all
/// decode with the options of its settings.
/// </summary>
public sealed record DecodeOptions
{
    /// <summary>Gets the options for everything that is not scored: masks, uploads, pictures to look at.</summary>
    public static DecodeOptions Default { get; } = new();

    /// <summary>Gets the options that a model's settings ask for.</summary>
    /// <param name="settings">The settings of the model.</param>
    public static DecodeOptions For(FitSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Default;
    }
}
