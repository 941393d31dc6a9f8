using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// A network's layers as an ONNX graph, at first without weights: input <c>input</c>, float32 (n, 3, height, width),
/// all but the channels free. Layers are added one after the other, each under the name of its result.
/// </summary>
internal sealed class NetworkGraph
{
    /// <summary>The image, by name.</summary>
    public const string Image = "input";

    private const int OperatorSet = 17,
        IrVersion = 8;

    private readonly GraphBuilder _builder;
    private readonly List<Convolution> _convolutions = [];

    /// <summary>A graph without layers.</summary>
    /// <param name="name">Name of the network.</param>
    /// <param name="epsilon">Added to the variances of its batch normalisations.</param>
    public NetworkGraph(string name, double epsilon)
    {
        Epsilon = epsilon;
        _builder = new GraphBuilder(new GraphProto { Name = name }, OperatorSet);
        _builder.Graph.Input.Add(GraphEditor.CreateFloat32Tensor(Image, null, 3, null, null));
    }

    /// <summary>Added to the variances of batch normalisations.</summary>
    public double Epsilon { get; }

    /// <summary>The convolutions so far.</summary>
    public IReadOnlyList<Convolution> Convolutions => _convolutions;

    /// <summary>A convolution together with its batch normalisation.</summary>
    public string Add(Convolution layer, string input)
    {
        _convolutions.Add(layer);
        var border = layer.Kernel / 2;
        return _builder.AddNode(
            "Conv",
            layer.Name,
            [input, GetWeightName(layer), GetBiasName(layer)],
            GraphBuilder.Integers("kernel_shape", layer.Kernel, layer.Kernel),
            GraphBuilder.Integers("strides", layer.Stride, layer.Stride),
            GraphBuilder.Integers("pads", border, border, border, border),
            GraphBuilder.Integer("group", layer.Groups)
        );
    }

    /// <summary>max(x, 0).</summary>
    public string Relu(string input, string? output = null) =>
        _builder.AddNode("Relu", output ?? $"{input}.relu", [input]);

    /// <summary>x sigmoid(x).</summary>
    public string Swish(string input) => _builder.AddNode("Mul", $"{input}.swish", [input, Sigmoid(input)]);

    /// <summary>1 / (1 + exp(-x)).</summary>
    public string Sigmoid(string input) => _builder.AddNode("Sigmoid", $"{input}.sigmoid", [input]);

    /// <summary>Maximum of 3 x 3 positions, every second one.</summary>
    public string MaxPool(string input) =>
        _builder.AddNode(
            "MaxPool",
            $"{input}.pooled",
            [input],
            GraphBuilder.CreateListAttribute("kernel_shape", 3, 3),
            GraphBuilder.CreateListAttribute("strides", 2, 2),
            GraphBuilder.CreateListAttribute("pads", 1, 1, 1, 1)
        );

    /// <summary>Mean of a channel over all positions, (n, channels, 1, 1).</summary>
    public string Mean(string input) => _builder.AddNode("GlobalAveragePool", $"{input}.mean", [input]);

    /// <summary>Sum of two maps of one shape.</summary>
    public string Sum(string one, string other, string output) => _builder.AddNode("Add", output, [one, other]);

    /// <summary>Product of a map with a factor a channel.</summary>
    public string Product(string map, string factors, string output) => _builder.AddNode("Mul", output, [map, factors]);

    /// <summary>Makes results the graph's outputs.</summary>
    public void SetOutputs(IEnumerable<BackboneTap> taps) =>
        _builder.Graph.Output.Add(
            taps.Select(tap => GraphEditor.CreateFloat32Tensor(tap.Tensor, null, tap.Channels, null, null))
        );

    /// <summary>Completes the graph with weights, once. The same weights give the same bytes.</summary>
    /// <param name="read">Gives a tensor by its name.</param>
    /// <exception cref="InvalidDataException">Weights are not finite.</exception>
    public ModelProto ToModel(Func<string, float[]> read)
    {
        foreach (var layer in _convolutions)
        {
            var (weight, bias) = layer.Fold(read, Epsilon);
            if (!weight.All(float.IsFinite) || !bias.All(float.IsFinite))
                throw new InvalidDataException($"The weights of '{layer.Name}' are not all finite.");
            _builder.Constant(GetWeightName(layer), layer.Shape, weight);
            _builder.Constant(GetBiasName(layer), [layer.Out], bias);
        }
        return new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "PaDiM.Service",
            Graph = _builder.Graph,
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = OperatorSet },
            },
        };
    }

    private static string GetWeightName(Convolution layer) => $"{layer.Name}.weight";

    private static string GetBiasName(Convolution layer) => $"{layer.Name}.bias";
}
