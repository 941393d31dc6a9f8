using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace PaDiM.Service.Hosting;

/// <summary>A value of an enumeration in a query, by the name that it has in JSON: the framework would take names of C# and numbers.</summary>
internal readonly record struct Choice<T>(T Value) where T : struct, Enum
{
    private static readonly Dictionary<string, T> Values =
        Enum.GetValues<T>().ToDictionary(value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()), StringComparer.OrdinalIgnoreCase);

    public static bool TryParse([NotNullWhen(true)] string? text, IFormatProvider? provider, out Choice<T> choice)
    {
        var known = Values.TryGetValue(text ?? "", out var value);
        choice = new Choice<T>(value);
        return known;
    }
}
