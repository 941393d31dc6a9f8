namespace PaDiM.Core.InputChecks;

/// <summary>Represents something about an image that makes its score doubtful.</summary>
/// <param name="Code">One of <see cref="InputWarningCodes"/>, or a code of the decoder.</param>
/// <param name="Detail">A sentence that says what is unusual, and what to check.</param>
public sealed record InputWarning(string Code, string Detail);

/// <summary>The codes of warnings about an image.</summary>
public static class InputWarningCodes
{
    /// <summary>Another size or shape than the training images.</summary>
    public const string SizeDiffers = "size_differs";

    /// <summary>Much darker than the training images.</summary>
    public const string TooDark = "too_dark";

    /// <summary>Much brighter than the training images.</summary>
    public const string Overexposed = "overexposed";

    /// <summary>Much less detail than the training images.</summary>
    public const string Blurred = "blurred";

    /// <summary>Less than an eighth of the range of values is used.</summary>
    public const string LowRange = "low_range";

    /// <summary>Different from the training images almost everywhere.</summary>
    public const string UnlikeTraining = "unlike_training";

    /// <summary>The decoder tolerated damage that cost no pixel.</summary>
    public const string FileRepaired = "file_repaired";

    /// <summary>Gets all codes.</summary>
    public static IReadOnlyList<string> All { get; } =
    [SizeDiffers, TooDark, Overexposed, Blurred, LowRange, UnlikeTraining, FileRepaired];
}
