using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Backbones.Quantisation;

/// <summary>
/// Decides which layers of a graph become integer layers: convolutions with weights in the file; additions,
/// concatenations and max pooling of their outputs; and the ReLUs after them, which saturation at 0 replaces at no
/// cost. Every other layer stays as it is and reads dequantised values.
/// </summary>
internal sealed class QuantisationPlan
{
    private static readonly HashSet<string> IntegerOperators =
    [
        "QuantizeLinear",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "QLinearConv",
        "ConvInteger",
        "QLinearMatMul",
        "MatMulInteger",
    ];
    private readonly Dictionary<NodeProto, string> _results = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<NodeProto> _absorbed = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _produced = new(StringComparer.Ordinal),
        _entering = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _pooledFrom = new(StringComparer.Ordinal);
    private readonly GraphProto _graph;
    private readonly QuantisationSettings _settings;
    private readonly Dictionary<string, NodeProto[]> _readers;
    private readonly HashSet<string> _outputs;

    /// <summary>The image, and the outputs of convolutions alone: a first layer may be written as two.</summary>
    private readonly HashSet<string> _linear;

    /// <summary>Plans the layers of a graph.</summary>
    /// <exception cref="InvalidDataException">The graph has integer layers already, uses too old an operator set, or
    /// has no convolution that can be quantised.</exception>
    public QuantisationPlan(GraphEditor editor, QuantisationSettings settings)
    {
        _graph = editor.Graph;
        _settings = settings;
        if (_graph.Node.FirstOrDefault(node => IntegerOperators.Contains(node.OpType)) is { } done)
            throw new InvalidDataException(
                $"it has integer layers already ({done.OpType}); quantise the float32 network instead"
            );
        if (editor.OperatorSet < 13)
            throw new InvalidDataException(
                $"it uses ONNX operator set {editor.OperatorSet}; per-channel scales of weights require 13 or later"
            );
        Constants = new Constants(_graph);
        _outputs = [.. editor.Outputs];
        _linear = [.. editor.Inputs];
        _readers = _graph
            .Node.SelectMany(node => GraphEditor.GetReadNames(node).Distinct().Select(name => (name, node)))
            .GroupBy(pair => pair.name, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => group.Select(pair => pair.node).ToArray(),
                StringComparer.Ordinal
            );
        foreach (var node in _graph.Node)
            PlanNode(node);
        if (!_results.Keys.Any(node => node.OpType == "Conv"))
            throw new InvalidDataException(
                "it has no convolution that can be quantised: two-dimensional, with its weights in the file"
            );
    }

    /// <summary>Gets the constants in the file.</summary>
    public Constants Constants { get; }

    /// <summary>Gets the tensors that calibration has to measure.</summary>
    public IReadOnlyList<string> Measured => [.. _produced.Concat(_entering).Order(StringComparer.Ordinal)];

    /// <summary>Gets the number of integer convolutions.</summary>
    public int Convolutions => _results.Keys.Count(node => node.OpType == "Conv");

    /// <summary>
    /// Finds the output of an integer layer, after the activation that it absorbs; null for a layer that stays as it
    /// is.
    /// </summary>
    public string? FindResult(NodeProto node) => _results.GetValueOrDefault(node);

    /// <summary>Gets whether a layer is a ReLU that the saturation of the layer before it replaces.</summary>
    public bool IsAbsorbed(NodeProto node) => _absorbed.Contains(node);

    /// <summary>Gets whether a tensor is the output of an integer layer.</summary>
    public bool IsProduced(string tensor) => _produced.Contains(tensor);

    /// <summary>Gets whether an integer layer reads a tensor that comes from a float layer or the caller.</summary>
    public bool IsEntering(string tensor) => _entering.Contains(tensor);

    /// <summary>Gets the tensor whose scale a tensor has: max pooling keeps the scale of its input.</summary>
    public string GetScaleSource(string tensor) =>
        _pooledFrom.TryGetValue(tensor, out var source) ? GetScaleSource(source) : tensor;

    private void PlanNode(NodeProto node)
    {
        if (node.OpType == "Conv" && _linear.Contains(node.Input[0]))
            _linear.Add(node.Output[0]);
        if (!CanBeInteger(node))
            return;
        var output = node.Output[0];
        var activation =
            node.OpType is "Conv" or "Add"
            && !_outputs.Contains(output)
            && _readers.GetValueOrDefault(output) is [{ } only]
            && IsSaturation(only)
                ? only
                : null;
        var result = activation?.Output[0] ?? output;
        // Only the caller reads it: rounding would cost accuracy without gaining speed.
        if (_settings.FloatTaps && _outputs.Contains(result) && !_readers.ContainsKey(result))
            return;
        _results[node] = result;
        if (activation is not null)
            _absorbed.Add(activation);
        _produced.Add(result);
        foreach (var input in GetActivations(node).Where(input => !_produced.Contains(input)))
            _entering.Add(input);
        if (node.OpType == "MaxPool")
            _pooledFrom[result] = node.Input[0];
    }

    /// <summary>Gets the activations that a layer reads.</summary>
    private static IEnumerable<string> GetActivations(NodeProto node) =>
        node.OpType is "Conv" or "MaxPool" ? node.Input.Take(1) : node.Input;

    private bool CanBeInteger(NodeProto node) =>
        node.Domain is "" or "ai.onnx"
        && node.OpType switch
        {
            "Conv" => Constants.Find(node.Input[1]) is { Shape.Length: 4 }
                && !Constants.Contains(node.Input[0])
                && HasConstantBias(node)
                && !(_settings.FloatStem && _linear.Contains(node.Input[0])),
            "Add" => node.Input.Any(_produced.Contains) && !node.Input.Any(Constants.Contains),
            "Concat" => node.Input.All(_produced.Contains),
            "MaxPool" => node.Output.Count == 1
                && (_produced.Contains(node.Input[0]) || _entering.Contains(node.Input[0])),
            _ => false,
        };

    private bool HasConstantBias(NodeProto conv) =>
        conv.Input.Count < 3 || conv.Input[2].Length == 0 || Constants.Find(conv.Input[2]) is not null;

    /// <summary>
    /// Gets whether a layer is a ReLU, or a Clip with minimum 0: the saturation of a uint8 with zero point 0 does the
    /// same.
    /// </summary>
    private bool IsSaturation(NodeProto node) =>
        node.OpType switch
        {
            "Relu" => true,
            "Clip" => node.Input.Count > 1
                && node.Input[1].Length > 0
                && Constants.Find(node.Input[1]) is { Values: [0] }
                && node.Input.Skip(2).All(name => name.Length == 0 || Constants.Contains(name)),
            _ => false,
        };
}
