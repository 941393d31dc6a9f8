using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;

namespace PaDiM.Service.Http;

/// <summary>
/// A value of an enumeration in a query, by the name that it has in JSON: the framework would take names of C# and
/// numbers.
/// </summary>
internal readonly record struct Choice<T>(T Value)
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> Values = Enum.GetValues<T>()
        .ToDictionary(
            value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()),
            StringComparer.OrdinalIgnoreCase
        );

    public static bool TryParse([NotNullWhen(true)] string? text, IFormatProvider? provider, out Choice<T> choice)
    {
        var known = Values.TryGetValue(text ?? "", out var value);
        choice = new Choice<T>(value);
        return known;
    }
}

/// <summary>Tells what a choice is between.</summary>
internal static class Choices
{
    /// <summary>The enumeration behind a parameter that is a choice; null for any other.</summary>
    public static Type? EnumerationOf(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Choice<>)
            ? type.GetGenericArguments()[0]
            : null;
    }

    /// <summary>The names to choose from.</summary>
    public static IEnumerable<string> NamesOf(Type enumeration) =>
        Enum.GetNames(enumeration).Select(JsonNamingPolicy.KebabCaseLower.ConvertName);
}
