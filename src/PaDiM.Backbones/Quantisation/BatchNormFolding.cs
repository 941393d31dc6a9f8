using PaDiM.Engine.Graphs;

namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Folds batch normalisations into the convolutions before them. One that follows another layer stays as it is.
/// </summary>
internal static class BatchNormFolding
{
    /// <summary>Creates a graph that computes the same with fewer layers.</summary>
    public static GraphEditor Fold(GraphEditor editor) =>
        editor.Edit(graph =>
        {
            var constants = new Constants(graph);
            var producers = graph
                .Node.SelectMany(node => node.Output.Select(output => (output, node)))
                .ToDictionary(pair => pair.output, pair => pair.node, StringComparer.Ordinal);
            var readers = graph
                .Node.SelectMany(GraphEditor.GetReadNames)
                .CountBy(name => name)
                .ToDictionary(StringComparer.Ordinal);
            var outputs = graph.Output.Select(output => output.Name).ToHashSet(StringComparer.Ordinal);
            foreach (
                var norm in graph
                    .Node.Where(node =>
                        node.OpType == "BatchNormalization" && node.Input.Count == 5 && node.Output.Count == 1
                    )
                    .ToArray()
            )
            {
                if (
                    !producers.TryGetValue(norm.Input[0], out var conv)
                    || conv.OpType != "Conv"
                    || readers[norm.Input[0]] != 1
                    || outputs.Contains(norm.Input[0])
                )
                    continue;
                if (
                    constants.Find(conv.Input[1]) is not { } weight
                    || norm.Input.Skip(1).Select(constants.Find).ToArray()
                        is not [{ } scale, { } shift, { } mean, { } variance]
                )
                    continue;
                var bias =
                    conv.Input.Count > 2 && conv.Input[2].Length > 0
                        ? constants.Find(conv.Input[2])
                        : (weight.Shape[..1], new float[weight.Shape[0]]);
                if (bias is null)
                    continue;
                var epsilon = norm.Attribute.FirstOrDefault(a => a.Name == "epsilon")?.F ?? 1e-5f;
                double[] factor = [.. scale.Values.Zip(variance.Values, (s, v) => s / Math.Sqrt((double)v + epsilon))];
                var perChannel = weight.Values.Length / factor.Length;
                var name = norm.Output[0];
                graph.Initializer.Add(
                    Tensors.Create(
                        $"{name}_folded_weight",
                        weight.Shape,
                        [.. weight.Values.Select((w, i) => (float)(w * factor[i / perChannel]))]
                    )
                );
                graph.Initializer.Add(
                    Tensors.Create(
                        $"{name}_folded_bias",
                        [factor.Length],
                        [
                            .. bias.Value.Item2.Select(
                                (b, c) => (float)((b - (double)mean.Values[c]) * factor[c] + shift.Values[c])
                            ),
                        ]
                    )
                );
                var inputs = new[] { conv.Input[0], $"{name}_folded_weight", $"{name}_folded_bias" };
                conv.Input.Clear();
                conv.Input.AddRange(inputs);
                conv.Output[0] = name;
                producers[name] = conv;
                graph.Node.Remove(norm);
            }
        });
}
