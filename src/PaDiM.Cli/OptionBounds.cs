using System.CommandLine;
using System.CommandLine.Parsing;

namespace PaDiM.Cli;

/// <summary>Adds bounds to the values of options. A value out of bounds is wrong usage.</summary>
internal static class OptionBounds
{
    /// <summary>Rejects values that do not meet a condition.</summary>
    public static void Require<T>(this Option<T> option, Func<T, bool> holds, string message) =>
        option.Validators.Add(result =>
        {
            if (!result.TryGetValue(option, out var value) || holds(value))
                return;
            result.AddError(message);
        });

    /// <summary>Lets shells offer the names of an enumeration as they are written, which is not how C# spells them.</summary>
    public static void Offer<T>(this Option option)
        where T : struct, Enum
    {
        option.CompletionSources.Clear();
        option.CompletionSources.Add([.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())]);
    }

    /// <summary>
    /// Gets the value of an option. Returns false if its text is not a valid value, which the parser itself reports.
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
