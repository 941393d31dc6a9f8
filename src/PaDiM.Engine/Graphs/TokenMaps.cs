namespace PaDiM.Engine.Graphs;

/// <summary>
/// Turns the tokens of a vision transformer, (n, tokens, channels), into feature maps (n, channels, h, w): tokens of no
/// patch (class and registers) come first and are dropped, the others are in the order of the patches' rows. The map
/// takes the name of the tokens, so that nothing else needs to know that a tap has tokens.
/// </summary>
internal static class TokenMaps
{
    private const string Suffix = "__tokens";

    /// <summary>Creates the graph with maps in place of tokens.</summary>
    /// <param name="tapped">The graph whose outputs are the taps.</param>
    /// <param name="patches">The layer that shows how many patches an image has.</param>
    /// <param name="prefixes">The taps that have tokens, and how many of each are dropped.</param>
    public static GraphEditor Append(
        GraphEditor tapped,
        PatchLayer patches,
        IReadOnlyDictionary<string, int> prefixes
    ) =>
        prefixes.Count == 0
            ? tapped
            : tapped.Edit(graph =>
            {
                var builder = new GraphBuilder(graph, tapped.OperatorSet);
                var shape = AddMapShape(builder, patches);
                foreach (var (tap, prefix) in prefixes)
                {
                    var tokens = tap + Suffix;
                    GraphEditor.Rename(graph, tap, tokens);
                    var ofPatches = prefix == 0 ? tokens : builder.AddSlice($"{tokens}/patches", tokens, 1, prefix);
                    var channelsFirst = builder.AddNode(
                        "Transpose",
                        $"{tokens}/channels_first",
                        [ofPatches],
                        GraphBuilder.CreateListAttribute("perm", 0, 2, 1)
                    );
                    builder.AddNode("Reshape", tap, [channelsFirst, shape]);
                }
            });

    /// <summary>Adds the shape (0, 0, h, w), where 0 keeps the batch and the channels.</summary>
    private static string AddMapShape(GraphBuilder builder, PatchLayer patches)
    {
        var name = $"{patches.Map}{Suffix}";
        var shape = builder.AddNode("Shape", $"{name}/shape", [patches.Map]);
        var sides = builder.AddNode(
            "Gather",
            $"{name}/sides",
            [shape, builder.AddConstant($"{name}/last", [2], [2L, 3])]
        );
        return builder.AddNode(
            "Concat",
            $"{name}/map_shape",
            [builder.AddConstant($"{name}/kept", [2], [0L, 0]), sides],
            GraphBuilder.CreateAttribute("axis", 0)
        );
    }
}
