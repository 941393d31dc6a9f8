using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// Builds the layers of a network as an ONNX graph, first without weights. Its input is <c>input</c>, float32 (n, 3,
/// height, width); all dimensions but the channels are free. Layers are added one after the other, and each returns the
/// name of its output.
/// </summary>
internal sealed class NetworkGraph
{
    /// <summary>The name of the image input.</summary>
    public const string Image = "input";

    private const int OperatorSet = 17,
        IrVersion = 8;

    private readonly GraphBuilder _builder;
    private readonly List<Convolution> _convolutions = [];

    /// <summary>Creates a graph without layers.</summary>
    /// <param name="name">The name of the network.</param>
    /// <param name="epsilon">Added to the variances of its batch normalisations.</param>
    public NetworkGraph(string name, double epsilon)
    {
        Epsilon = epsilon;
        _builder = new GraphBuilder(new GraphProto { Name = name }, OperatorSet);
        _builder.Graph.Input.Add(GraphEditor.CreateFloat32Tensor(Image, null, 3, null, null));
    }

    /// <summary>Gets the value added to the variances of batch normalisations.</summary>
    public double Epsilon { get; }

    /// <summary>Gets the convolutions so far.</summary>
    public IReadOnlyList<Convolution> Convolutions => _convolutions;

    /// <summary>Adds a convolution together with its batch normalisation.</summary>
    public string Add(Convolution layer, string input)
    {
        _convolutions.Add(layer);
        var border = layer.Kernel / 2;
        return _builder.AddNode(
            "Conv",
            layer.Name,
            [input, GetWeightName(layer), GetBiasName(layer)],
            GraphBuilder.CreateListAttribute("kernel_shape", layer.Kernel, layer.Kernel),
            GraphBuilder.CreateListAttribute("strides", layer.Stride, layer.Stride),
            GraphBuilder.CreateListAttribute("pads", border, border, border, border),
            GraphBuilder.CreateAttribute("group", layer.Groups)
        );
    }

    /// <summary>Adds max(x, 0).</summary>
    public string Relu(string input, string? output = null) =>
        _builder.AddNode("Relu", output ?? $"{input}.relu", [input]);

    /// <summary>Adds x sigmoid(x).</summary>
    public string Swish(string input) => _builder.AddNode("Mul", $"{input}.swish", [input, Sigmoid(input)]);

    /// <summary>Adds 1 / (1 + exp(-x)).</summary>
    public string Sigmoid(string input) => _builder.AddNode("Sigmoid", $"{input}.sigmoid", [input]);

    /// <summary>Adds the maximum of 3 x 3 positions with stride 2.</summary>
    public string MaxPool(string input) =>
        _builder.AddNode(
            "MaxPool",
            $"{input}.pooled",
            [input],
            GraphBuilder.CreateListAttribute("kernel_shape", 3, 3),
            GraphBuilder.CreateListAttribute("strides", 2, 2),
            GraphBuilder.CreateListAttribute("pads", 1, 1, 1, 1)
        );

    /// <summary>Adds the mean of each channel over all positions, (n, channels, 1, 1).</summary>
    public string Mean(string input) => _builder.AddNode("GlobalAveragePool", $"{input}.mean", [input]);

    /// <summary>Adds the sum of two maps of the same shape.</summary>
    public string Sum(string one, string other, string output) => _builder.AddNode("Add", output, [one, other]);

    /// <summary>Adds the product of a map and one factor per channel.</summary>
    public string Product(string map, string factors, string output) => _builder.AddNode("Mul", output, [map, factors]);

    /// <summary>Sets the outputs of the graph.</summary>
    public void SetOutputs(IEnumerable<BackboneTap> taps) =>
        _builder.Graph.Output.Add(
            taps.Select(tap => GraphEditor.CreateFloat32Tensor(tap.Tensor, null, tap.Channels, null, null))
        );

    /// <summary>
    /// Adds the weights and creates the model. Can be called only once. The same weights give the same bytes.
    /// </summary>
    /// <param name="read">Reads a tensor by name.</param>
    /// <exception cref="InvalidDataException">Weights are not finite.</exception>
    public ModelProto ToModel(Func<string, float[]> read)
    {
        foreach (var layer in _convolutions)
        {
            var (weight, bias) = layer.Fold(read, Epsilon);
            if (!weight.All(float.IsFinite) || !bias.All(float.IsFinite))
                throw new InvalidDataException($"The weights of '{layer.Name}' are not all finite.");
            _builder.AddConstant(GetWeightName(layer), layer.Shape, weight);
            _builder.AddConstant(GetBiasName(layer), [layer.Out], bias);
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
