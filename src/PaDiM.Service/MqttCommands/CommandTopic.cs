using System.Diagnostics.CodeAnalysis;
using PaDiM.Service.Sinks;

namespace PaDiM.Service.MqttCommands;

/// <summary>A topic with one level for the category, such as <c>padim/{category}/score</c>.</summary>
internal sealed class CommandTopic
{
    /// <summary>What a topic must be, as the rest of a sentence.</summary>
    public const string Expected =
        "must be a topic with {category} as one of its levels, and no '+' and '#', such as padim/{category}/score.";

    private const string Placeholder = "{category}";
    private const int MaxLength = 512;

    private readonly string[] _levels;
    private readonly int _place;

    private CommandTopic(string[] levels, int place) => (_levels, _place) = (levels, place);

    /// <summary>Gets the filter that selects the topics of all categories.</summary>
    public string Filter => Fill("+");

    /// <summary>Gets a topic that has been checked.</summary>
    public static CommandTopic Parse(string text) =>
        TryParse(text, out var topic) ? topic : throw new FormatException($"'{text}' {Expected}");

    public static bool TryParse(string? text, [NotNullWhen(true)] out CommandTopic? topic)
    {
        var levels = text?.Split('/') ?? [];
        var place = Array.IndexOf(levels, Placeholder);
        var isTopic =
            text is { Length: <= MaxLength }
            && place >= 0
            && text[0] != '$'
            && levels
                .Where((_, level) => level != place)
                .All(level => TopicTemplate.IsLevel(level) && level.AsSpan().IndexOfAny('{', '}') < 0);
        topic = isTopic ? new CommandTopic(levels, place) : null;
        return isTopic;
    }

    /// <summary>Gets the topic of a category.</summary>
    public string Fill(string category) =>
        string.Join('/', _levels.Select((level, place) => place == _place ? category : level));

    /// <summary>Gets the category that a topic names; null if it is another topic.</summary>
    public string? FindCategory(string topic)
    {
        var levels = topic.Split('/');
        return levels.Length == _levels.Length && topic == Fill(levels[_place]) ? levels[_place] : null;
    }
}
