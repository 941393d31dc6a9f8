using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Chooses taps for a vision transformer: the tokens after one half, three quarters and all of its blocks, each as the
/// next layer reads them, that is, normalised.
/// </summary>
internal sealed class TokenTaps
{
    /// <summary>The blocks whose tokens are tapped, in quarters of all blocks.</summary>
    private static readonly int[] Quarters = [2, 3, 4];

    /// <summary>Operators that leave tokens as they are, or join them to others.</summary>
    private static readonly HashSet<string> Passing = ["Cast", "Identity", "Dropout", "Concat"];

    private readonly ILookup<string, NodeProto> _readers;

    private TokenTaps(GraphEditor editor) =>
        _readers = editor
            .Graph.Node.SelectMany(node => node.Input.Distinct().Select(name => (name, node)))
            .ToLookup(pair => pair.name, pair => pair.node, StringComparer.Ordinal);

    /// <summary>Finds the taps; an empty list if the graph does not show its blocks.</summary>
    public static IReadOnlyList<string> Find(GraphEditor editor)
    {
        if (editor.Inputs.Count == 0)
            return [];
        var taps = new TokenTaps(editor);
        var sums = FindResidualSums(editor);
        var blocks = PatchLayer.CountAttentions(editor);
        return blocks == 0 || sums.Count == 0 || sums.Count % blocks != 0
            ? []
            :
            [
                .. Quarters
                    .Select(quarter => Math.Max(1, blocks * quarter / 4) * (sums.Count / blocks) - 1)
                    .Distinct()
                    .Select(last => taps.FindNorm(sums[last]) ?? sums[last]),
            ];
    }

    /// <summary>
    /// Finds the longest chain of sums in which each adds something to the one before it: the tokens of a transformer
    /// between its layers.
    /// </summary>
    private static List<string> FindResidualSums(GraphEditor editor)
    {
        var fromImage = editor.FindComputedFromInputs();
        var before = new Dictionary<string, string>(StringComparer.Ordinal);
        var length = editor.Inputs.ToDictionary(name => name, _ => 0, StringComparer.Ordinal);
        foreach (var node in editor.Graph.Node.Where(node => node.Output.Count > 0))
        {
            var output = node.Output[0];
            if (
                !fromImage.Contains(output)
                || node.Input.Where(length.ContainsKey).MaxBy(name => length[name]) is not { } stream
            )
                continue;
            if (node.OpType == "Add" && node.Input.All(fromImage.Contains))
            {
                before[output] = stream;
                length[output] = length[stream] + 1;
            }
            else if (Passing.Contains(node.OpType) || length[stream] == 0)
            {
                length[output] = length[stream];
                if (before.TryGetValue(stream, out var earlier))
                    before[output] = earlier;
            }
        }
        var sums = new List<string>();
        for (var at = length.MaxBy(pair => pair.Value).Key; length[at] > 0; at = before[at])
            sums.Insert(0, at);
        return sums;
    }

    /// <summary>Finds the layer normalisation of a tensor, as one node or in its steps; null if there is none.</summary>
    private string? FindNorm(string tensor)
    {
        if (Find(tensor, "LayerNormalization") is { } norm)
            return norm.Output[0];
        return
            Find(tensor, "Sub") is { } centred
            && Find(centred.Output[0], "Div") is { } scaled
            && Find(scaled.Output[0], "Mul") is { } weighted
            && Find(weighted.Output[0], "Add") is { } shifted
            ? shifted.Output[0]
            : null;
    }

    private NodeProto? Find(string tensor, string type) => _readers[tensor].FirstOrDefault(node => node.OpType == type);
}
