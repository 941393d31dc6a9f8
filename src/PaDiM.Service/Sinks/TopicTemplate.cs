using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>
/// A topic with placeholders. What a client chose as a name cannot leave its level: characters that MQTT gives a meaning
/// are written as in URLs.
/// </summary>
internal static partial class TopicTemplate
{
    private const int MaxLength = 512,
        MaxLevel = 200;

    private static readonly string[] Placeholders = ["category", "part", "station", "lot", "decision", "replica"];

    /// <summary>Gets what is wrong with a template, as the rest of a sentence; null if nothing is.</summary>
    public static string? FindFault(string? template) =>
        template is not { Length: > 0 and <= MaxLength } ? $"must have 1 to {MaxLength} characters."
        : template.Any(letter => letter is '+' or '#' || char.IsControl(letter))
            ? "must have no '+', '#' or control characters: these select topics, and name none."
        : template[0] is '$' or '/' || template[^1] == '/' || template.Contains("//", StringComparison.Ordinal)
            ? "must not start with '$' and must have no empty level."
        : Placeholder().Replace(template, "").AsSpan().IndexOfAny('{', '}') >= 0 ? "has a brace without its other one."
        : Placeholder()
            .Matches(template)
            .Select(match => match.Groups[1].Value)
            .FirstOrDefault(name => !Placeholders.Contains(name, StringComparer.Ordinal))
            is { } unknown
            ? $"names {{{unknown}}}; there are {string.Join(", ", Placeholders.Select(name => $"{{{name}}}"))}."
        : null;

    /// <summary>Gets the topic of an inspection. A name that is not there is <c>-</c>.</summary>
    public static string Fill(string template, Inspection inspection) =>
        Placeholder()
            .Replace(
                template,
                match =>
                    Escape(
                        match.Groups[1].Value switch
                        {
                            "category" => inspection.Category,
                            "part" => inspection.Part,
                            "station" => inspection.Station,
                            "lot" => inspection.Lot,
                            "decision" => Choices.GetName(inspection.Decision),
                            _ => inspection.Replica,
                        }
                    )
            );

    /// <summary>Writes a name so that it is one level of a topic.</summary>
    public static string Escape(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return "-";
        var level = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            if (level.Length >= MaxLevel)
                break;
            if (rune.Value is '+' or '#' or '/' or '%' or '$' || Rune.IsControl(rune) || IsNonCharacter(rune.Value))
                foreach (var one in Encoding.UTF8.GetBytes(rune.ToString()))
                    level.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
            else
                level.Append(rune.ToString());
        }
        return level.ToString();
    }

    /// <summary>Gets whether a text is one level of a topic as it is, below the first.</summary>
    public static bool IsLevel(string text) =>
        text.Length > 0
        && text.EnumerateRunes()
            .All(rune => rune.Value is not ('+' or '#' or '/') && !Rune.IsControl(rune) && !IsNonCharacter(rune.Value));

    /// <summary>MQTT lets a receiver close the connection when it sees one.</summary>
    private static bool IsNonCharacter(int value) => value is >= 0xFDD0 and <= 0xFDEF || (value & 0xFFFE) == 0xFFFE;

    [GeneratedRegex(@"\{([A-Za-z]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
