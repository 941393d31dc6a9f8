namespace PaDiM.Service.Sinks;

/// <summary>The topics of an edge node, as chapter 4 of the specification of Sparkplug 3.0 has them.</summary>
/// <param name="group">Identifier of the group.</param>
/// <param name="node">Identifier of the edge node.</param>
internal sealed class SparkplugTopics(string group, string node)
{
    /// <summary>Level of the topics of hosts, where those of edge nodes have their group.</summary>
    public const string HostState = "STATE";

    private const string Namespace = "spBv1.0";

    public string NodeBirth { get; } = $"{Namespace}/{group}/NBIRTH/{node}";

    public string NodeDeath { get; } = $"{Namespace}/{group}/NDEATH/{node}";

    public string NodeData { get; } = $"{Namespace}/{group}/NDATA/{node}";

    public string NodeCommand { get; } = $"{Namespace}/{group}/NCMD/{node}";

    /// <summary>
    /// Gets the identifier of a sink's edge node on a replica. No other pair has the same: neither name has a colon.
    /// </summary>
    public static string GetNode(string sink, string replica) => $"{sink}:{replica}";

    public string GetDeviceBirth(string device) => $"{Namespace}/{group}/DBIRTH/{node}/{device}";

    public string GetDeviceData(string device) => $"{Namespace}/{group}/DDATA/{node}/{device}";
}
