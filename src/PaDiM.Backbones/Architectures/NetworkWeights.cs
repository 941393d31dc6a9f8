using PaDiM.Backbones.Weights;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// Represents the tensors of a network in a file of weights, under any prefix that training has added to their names
/// (<c>module.</c>, <c>model.</c>, <c>backbone.</c>).
/// </summary>
internal sealed class NetworkWeights
{
    /// <summary>The suffix of the batch counter beside each batch normalisation.</summary>
    private const string BatchCounterSuffix = ".num_batches_tracked";

    private readonly Network _network;
    private readonly NetworkForm _form;
    private readonly NetworkGraph _graph;
    private readonly Dictionary<string, WeightTensor> _tensors;

    private NetworkWeights(Network network, NetworkForm form, Dictionary<string, WeightTensor> tensors)
    {
        _network = network;
        _form = form;
        _graph = form.Graph();
        _tensors = tensors;
    }

    /// <summary>
    /// Finds the tensors around the anchor of one of the network's forms; null if the file has none of the anchors.
    /// </summary>
    /// <exception cref="InvalidDataException">It has an anchor several times.</exception>
    public static NetworkWeights? Find(WeightsFile file, Network network)
    {
        foreach (var form in network.Forms)
        {
            string[] prefixes =
            [
                .. file
                    .Tensors.Keys.Where(name =>
                        name == form.Anchor || name.EndsWith($".{form.Anchor}", StringComparison.Ordinal)
                    )
                    .Select(name => name[..^form.Anchor.Length]),
            ];
            if (prefixes.Length > 1)
                throw new InvalidDataException(
                    "The weights file contains several networks, whose tensors start with "
                        + $"{string.Join(", ", prefixes.Take(3).Select(WeightsFile.Quote))}. "
                        + "Save the one you want on its own."
                );
            if (prefixes is [var prefix])
                return new NetworkWeights(
                    network,
                    form,
                    file.Tensors.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
                        .ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value, StringComparer.Ordinal)
                );
        }
        return null;
    }

    /// <summary>
    /// Finds a tensor that is missing, has another shape, or is unexpected, and describes it; null if all tensors fit.
    /// </summary>
    public string? Validate()
    {
        var needed = _graph
            .Convolutions.SelectMany(layer => layer.Tensors)
            .ToDictionary(tensor => tensor.Name, tensor => tensor.Shape, StringComparer.Ordinal);
        foreach (var (name, shape) in needed)
        {
            if (!_tensors.TryGetValue(name, out var tensor))
                return $"The weights file has no tensor '{name}'; {_network.Name} has one with shape "
                    + $"({string.Join(", ", shape)}).";
            if (!tensor.Shape.SequenceEqual(shape))
                return $"Tensor '{name}' of the weights file has shape ({string.Join(", ", tensor.Shape)}); "
                    + $"{_network.Name} expects ({string.Join(", ", shape)}).";
        }
        var other = _tensors.Keys.FirstOrDefault(name =>
            !needed.ContainsKey(name)
            && !name.EndsWith(BatchCounterSuffix, StringComparison.Ordinal)
            && _form.Stages.Any(stage => name.StartsWith(stage, StringComparison.Ordinal))
        );
        return other is null
            ? null
            : $"The weights file has a tensor {WeightsFile.Quote(other)}, which {_network.Name} does not have. "
                + "It belongs to another network.";
    }

    /// <summary>Creates the network with these weights as an ONNX model.</summary>
    /// <exception cref="InvalidDataException">They do not fit the network, cannot be read, or are not
    /// finite.</exception>
    public ModelProto ToModel() =>
        Validate() is { } misfit
            ? throw new InvalidDataException(misfit)
            : _graph.ToModel(name => _tensors[name].Read());
}
