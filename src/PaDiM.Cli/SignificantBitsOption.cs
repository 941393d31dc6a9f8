using System.CommandLine;
using PaDiM.Core.Models;

namespace PaDiM.Cli;

/// <summary><c>--significant-bits</c>, for files with samples of more than 8 bits.</summary>
internal static class SignificantBitsOption
{
    public const string Name = "--significant-bits";

    public const string Description = "Bits that count in samples of more than 8 bits, such as 12";

    public static string Fault { get; } =
        $"{Name} must be between {FitSettings.MinSignificantBits} and {FitSettings.MaxSignificantBits}.";

    /// <summary>Creates the option of a command that scores with a model.</summary>
    public static Option<int?> Create()
    {
        var option = new Option<int?>(Name) { Description = Description + " (the model's)." };
        option.Require(bits => bits is not { } given || IsValid(given), Fault);
        return option;
    }

    public static bool IsValid(int bits) =>
        bits is >= FitSettings.MinSignificantBits and <= FitSettings.MaxSignificantBits;
}
