namespace PaDiM.Service.Sinks;

/// <summary>An edge node of Sparkplug B on each replica: categories are its devices.</summary>
internal sealed record SparkplugRequest
{
    private const int MaxGroup = 128;

    /// <summary>
    /// Group that the edge node belongs to: 1 to 128 characters without `+`, `#`, `/` and control characters.
    /// </summary>
    public string? Group { get; init; }

    /// <summary>Gets what is wrong, as the rest of a sentence; null if nothing is.</summary>
    public string? FindFault(MqttRequest mqtt)
    {
        var untouched = new MqttRequest();
        if (Group is not { Length: <= MaxGroup } || !TopicTemplate.IsLevel(Group))
            return $"needs a group of 1 to {MaxGroup} characters without '+', '#', '/' and control characters.";
        if (Group == SparkplugTopics.HostState)
            return $"cannot use the group {Group}: the specification gives that name to hosts.";
        return
            (mqtt.Topic, mqtt.Qos, mqtt.Retain, mqtt.StatusTopic)
            != (untouched.Topic, untouched.Qos, untouched.Retain, untouched.StatusTopic)
            ? "says topics, quality of service and what is retained: leave topic, qos, retain and statusTopic out."
            : null;
    }
}

/// <summary>An edge node of Sparkplug B.</summary>
/// <param name="Group">Group that it belongs to.</param>
/// <param name="Node">Its identifier on the replica that answers: the sink, a colon and the replica.</param>
internal sealed record SparkplugResponse(string Group, string Node);
