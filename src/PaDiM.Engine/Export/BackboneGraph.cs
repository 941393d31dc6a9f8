using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Export;

/// <summary>Renames tensors of a backbone whose names an export needs.</summary>
internal static class BackboneGraph
{
    private const string Prefix = "backbone/";

    /// <summary>
    /// Renames the tensors whose names are reserved, including those in subgraphs.
    /// </summary>
    /// <param name="graph">The graph, changed in place.</param>
    /// <param name="reserved">Returns whether the export needs a name.</param>
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

    /// <summary>Gets the name of a tensor after the renaming.</summary>
    public static string GetNewName(string name, Func<string, bool> reserved) =>
        reserved(name) || name.StartsWith(Prefix, StringComparison.Ordinal) ? Prefix + name : name;
}
