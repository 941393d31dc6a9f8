using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PaDiM.Service.Http;

/// <summary>
/// An enumeration value in a query, by its JSON name. The framework would accept C# names and numbers.
/// </summary>
internal readonly record struct Choice<T>(T Value)
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> Values = Enum.GetValues<T>()
        .ToDictionary(Choices.GetName, StringComparer.OrdinalIgnoreCase);

    public static bool TryParse([NotNullWhen(true)] string? text, IFormatProvider? provider, out Choice<T> choice)
    {
        var known = Values.TryGetValue(text ?? "", out var value);
        choice = new Choice<T>(value);
        return known;
    }
}

/// <summary>Gets the alternatives of a choice.</summary>
internal static class Choices
{
    /// <summary>Gets the enumeration of a parameter that is a choice; null for any other parameter.</summary>
    public static Type? GetEnumeration(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Choice<>)
            ? type.GetGenericArguments()[0]
            : null;
    }

    /// <summary>Gets the names of the alternatives.</summary>
    public static IEnumerable<string> GetNames(Type enumeration) =>
        Enum.GetNames(enumeration).Select(name => GetName(enumeration, name));

    /// <summary>Gets the name of an alternative.</summary>
    public static string GetName<T>(T value)
        where T : struct, Enum => GetName(typeof(T), value.ToString());

    private static string GetName(Type enumeration, string name) =>
        enumeration.GetField(name)?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
        ?? JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
