using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;
using AttributeType = PaDiM.Engine.Graphs.Schema.AttributeProto.Types.AttributeType;

namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Rewrites a planned graph with a QuantizeLinear and a DequantizeLinear around every integer layer, the form that ONNX
/// Runtime turns into integer kernels. Tensors keep their names and remain float32 for their readers.
/// </summary>
internal sealed class GraphQuantiser
{
    private readonly QuantisationPlan _plan;
    private readonly QuantisationSettings _settings;
    private readonly IReadOnlyDictionary<string, ActivationStatistics> _statistics;
    private readonly Dictionary<string, (ActivationScale Scale, string[] Names)> _scales = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken;
    private readonly List<NodeProto> _nodes = [];
    private readonly List<TensorProto> _weights = [];
    private readonly Dictionary<string, string> _dequantised = new(StringComparer.Ordinal);

    private GraphQuantiser(
        GraphProto graph,
        QuantisationPlan plan,
        QuantisationSettings settings,
        IReadOnlyDictionary<string, ActivationStatistics> statistics
    )
    {
        _plan = plan;
        _settings = settings;
        _statistics = statistics;
        _taken = graph
            .Node.SelectMany(node => node.Input.Concat(node.Output))
            .Concat(graph.Initializer.Select(tensor => tensor.Name))
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Creates the quantised graph, with the same inputs and outputs.</summary>
    /// <param name="editor">The planned graph.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="statistics">The statistics of every tensor that the plan measures.</param>
    public static GraphEditor Quantise(
        GraphEditor editor,
        QuantisationPlan plan,
        QuantisationSettings settings,
        IReadOnlyDictionary<string, ActivationStatistics> statistics
    )
    {
        var quantiser = new GraphQuantiser(editor.Graph, plan, settings, statistics);
        foreach (var input in editor.Inputs)
            quantiser.QuantiseInput(input, pooled: false);
        foreach (var node in editor.Graph.Node)
            quantiser.WriteNode(node);
        return editor
            .Edit(graph =>
            {
                graph.Node.Clear();
                graph.Node.AddRange(quantiser._nodes);
                graph.Initializer.AddRange(quantiser._weights);
            })
            .WithOutputs(editor.Outputs);
    }

    private void WriteNode(NodeProto node)
    {
        if (_plan.IsAbsorbed(node))
            return;
        if (_plan.FindResult(node) is not { } result)
        {
            _nodes.Add(node.Clone());
            foreach (var output in node.Output)
                QuantiseInput(output, node.OpType == "MaxPool");
            return;
        }
        var written = node.Clone();
        for (var i = 0; i < (node.OpType is "Conv" or "MaxPool" ? 1 : node.Input.Count); i++)
            written.Input[i] = _dequantised.GetValueOrDefault(node.Input[i], node.Input[i]);
        if (node.OpType == "Conv")
            WriteWeights(node, written, result);
        written.Output[0] = MakeUnique($"{result}_float");
        _nodes.Add(written);
        Requantise(written.Output[0], result, result);
    }

    /// <summary>
    /// Quantises the output of a float layer for integer layers. Float layers continue to read the tensor itself.
    /// </summary>
    private void QuantiseInput(string tensor, bool pooled)
    {
        if (!_plan.IsEntering(tensor))
            return;
        _dequantised[tensor] = MakeUnique($"{tensor}_dequantized");
        var source = tensor;
        // ONNX Runtime would move the QuantizeLinear before a pooling, which is so slow on uint8 in this layout that it
        // costs more than it gains. It does not move past a ReLU, which changes nothing here and is later dropped
        // because of the saturation after it.
        if (pooled && _statistics[tensor].Values.Min == 0)
        {
            source = MakeUnique($"{tensor}_not_negative");
            _nodes.Add(
                new NodeProto
                {
                    OpType = "Relu",
                    Input = { tensor },
                    Output = { source },
                }
            );
        }
        Requantise(source, tensor, _dequantised[tensor]);
    }

    private void Requantise(string source, string tensor, string target)
    {
        var scaled = _plan.GetScaleSource(tensor);
        if (!_scales.TryGetValue(scaled, out var scale))
        {
            _scales[scaled] = scale = (
                _statistics[scaled].GetScale(_settings.Range),
                [MakeUnique($"{scaled}_scale"), MakeUnique($"{scaled}_zero_point")]
            );
            _weights.Add(Tensors.Create(scale.Names[0], [], [scale.Scale.Scale]));
            _weights.Add(Tensors.Create(scale.Names[1], [], [scale.Scale.ZeroPoint]));
        }
        var quantised = MakeUnique($"{tensor}_quantized");
        _nodes.Add(
            new NodeProto
            {
                OpType = "QuantizeLinear",
                Input = { source, scale.Names },
                Output = { quantised },
            }
        );
        _nodes.Add(
            new NodeProto
            {
                OpType = "DequantizeLinear",
                Input = { quantised, scale.Names },
                Output = { target },
            }
        );
    }

    private void WriteWeights(NodeProto node, NodeProto written, string result)
    {
        var (shape, values) = _plan.Constants.Find(node.Input[1])!.Value;
        var bias =
            node.Input.Count > 2 && node.Input[2].Length > 0
                ? _plan.Constants.Find(node.Input[2])!.Value.Values
                : new float[shape[0]];
        var group = (int)(node.Attribute.FirstOrDefault(a => a.Name == "group")?.I ?? 1);
        var means = _settings.CorrectBias ? _statistics[node.Input[0]].ChannelMeans : null;
        var input = _scales[_plan.GetScaleSource(node.Input[0])].Scale;
        var integer = QuantisedConvolution.Round(shape, values, bias, group, input, means, _settings.WeightBits);
        var activation = written.Input[0];
        written.Input.Clear();
        written.Input.AddRange([
            activation,
            Dequantise(
                Tensors.Create(MakeUnique($"{result}_weight"), shape, integer.Weight),
                integer.Scale,
                Tensors.Create(MakeUnique($"{result}_weight_zero_point"), [shape[0]], new sbyte[shape[0]])
            ),
            Dequantise(
                Tensors.Create(MakeUnique($"{result}_bias"), [shape[0]], integer.Bias),
                [.. integer.Scale.Select(scale => scale * input.Scale)],
                zeroPoints: null
            ),
        ]);
    }

    /// <summary>Adds weights with one scale per channel of their first axis.</summary>
    private string Dequantise(TensorProto tensor, float[] scale, TensorProto? zeroPoints)
    {
        var scales = Tensors.Create(MakeUnique($"{tensor.Name}_scale"), [scale.Length], scale);
        var node = new NodeProto
        {
            OpType = "DequantizeLinear",
            Input = { tensor.Name, scales.Name },
            Output = { MakeUnique($"{tensor.Name}_dequantized") },
            Attribute =
            {
                new AttributeProto
                {
                    Name = "axis",
                    I = 0,
                    Type = AttributeType.Int,
                },
            },
        };
        _weights.AddRange([tensor, scales]);
        if (zeroPoints is not null)
        {
            _weights.Add(zeroPoints);
            node.Input.Add(zeroPoints.Name);
        }
        _nodes.Add(node);
        return node.Output[0];
    }

    private string MakeUnique(string name)
    {
        while (!_taken.Add(name))
            name += "_";
        return name;
    }
}
