using System.CommandLine;
using System.CommandLine.Parsing;

namespace PaDiM.Cli;

/// <summary>Bounds on the values of options: outside them is wrong usage.</summary>
internal static class OptionBounds
{
    /// <summary>Refuses values for which a condition does not hold.</summary>
    public static void Require<T>(this Option<T> option, Func<T, bool> holds, string message) =>
        option.Validators.Add(result =>
        {
            if (!result.TryGetValue(option, out var value) || holds(value))
                return;
            result.AddError(message);
        });

    /// <summary>
    /// The value of an option; false where its text is no such value, which the parser itself reports.
    /// </summary>
    public static bool TryGetValue<T>(this SymbolResult result, Option<T> option, out T value)
    {
        try
        {
            value = result.GetValue(option)!;
            return true;
        }
        catch (InvalidOperationException)
        {
            value = default!;
            return false;
        }
    }
}
