using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Export;

/// <summary>Makes room in a backbone's graph for what an export adds to it.</summary>
internal static class BackboneGraph
{
    private const string Prefix = "backbone/";

    /// <summary>
    /// Renames tensors that bear a name that the export needs for one of its own, subgraphs included.
    /// </summary>
    /// <param name="graph">Changed in place.</param>
    /// <param name="reserved">Whether the export needs a name.</param>
    public static void RenameReserved(GraphProto graph, Func<string, bool> reserved)
    {
        foreach (var tensor in graph.Initializer)
            tensor.Name = New(tensor.Name);
        foreach (var value in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo))
            value.Name = New(value.Name);
        foreach (var node in graph.Node)
        {
            for (var i = 0; i < node.Input.Count; i++)
                node.Input[i] = New(node.Input[i]);
            for (var i = 0; i < node.Output.Count; i++)
                node.Output[i] = New(node.Output[i]);
            foreach (var subgraph in GraphEditor.GetSubgraphs(node))
                RenameReserved(subgraph, reserved);
        }

        string New(string name) => GetNewName(name, reserved);
    }

    /// <summary>What a tensor is called afterwards.</summary>
    public static string GetNewName(string name, Func<string, bool> reserved) =>
        reserved(name) || name.StartsWith(Prefix, StringComparison.Ordinal) ? Prefix + name : name;
}
