using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// Residual networks (He et al., arXiv 1512.03385; wide ones: Zagoruyko and Komodakis, arXiv 1605.07146) up to their
/// third layer, as in torchvision and timm: in a bottleneck the 3 x 3 convolution has the stride.
/// </summary>
internal static class ResNet
{
    private const double Epsilon = 1e-5;
    private const int Stem = 64;

    /// <summary>The channels of the basic blocks of each layer.</summary>
    private static readonly int[] Planes = [64, 128, 256];

    /// <summary>Gets ResNet-18.</summary>
    public static Network ResNet18 { get; } = Create("resnet18", [2, 2, 2], bottleneck: false);

    /// <summary>Gets Wide ResNet-50-2.</summary>
    public static Network WideResNet50 { get; } = Create("wide_resnet50_2", [3, 4, 6], bottleneck: true);

    private static Network Create(string name, int[] blocks, bool bottleneck)
    {
        BackboneTap[] taps =
        [
            .. Planes.Select((planes, i) => new BackboneTap($"layer{i + 1}", 4 << i, bottleneck ? 4 * planes : planes)),
        ];
        return new Network(
            name,
            taps,
            [
                new NetworkForm(
                    "layer1.0.conv1.weight",
                    ["conv1.", "bn1.", .. taps.Select(tap => $"{tap.Tensor}.")],
                    () => Build(name, taps, blocks, bottleneck)
                ),
            ]
        );
    }

    private static NetworkGraph Build(string name, BackboneTap[] taps, int[] blocks, bool bottleneck)
    {
        var graph = new NetworkGraph(name, Epsilon);
        var map = graph.MaxPool(
            graph.Relu(graph.Add(new Convolution("conv1", "bn1", 3, Stem, 7, Stride: 2), NetworkGraph.Image))
        );
        var channels = Stem;
        for (var layer = 0; layer < taps.Length; layer++)
        for (var i = 0; i < blocks[layer]; i++)
        {
            var block = $"{taps[layer].Tensor}.{i}";
            var stride = layer > 0 && i == 0 ? 2 : 1;
            var last = i == blocks[layer] - 1;
            var branch = bottleneck
                ? Bottleneck(graph, map, block, channels, Planes[layer], stride)
                : Basic(graph, map, block, channels, Planes[layer], stride);
            var shortcut =
                stride == 1 && channels == taps[layer].Channels
                    ? map
                    : graph.Add(
                        new Convolution(
                            $"{block}.downsample.0",
                            $"{block}.downsample.1",
                            channels,
                            taps[layer].Channels,
                            1,
                            stride
                        ),
                        map
                    );
            map = graph.Relu(graph.Sum(branch, shortcut, $"{block}.sum"), last ? taps[layer].Tensor : null);
            channels = taps[layer].Channels;
        }
        graph.SetOutputs(taps);
        return graph;
    }

    private static string Basic(NetworkGraph graph, string map, string block, int channels, int planes, int stride)
    {
        var first = graph.Relu(
            graph.Add(new Convolution($"{block}.conv1", $"{block}.bn1", channels, planes, 3, stride), map)
        );
        return graph.Add(new Convolution($"{block}.conv2", $"{block}.bn2", planes, planes, 3), first);
    }

    /// <summary>Adds a bottleneck that is twice as wide inside as that of ResNet-50.</summary>
    private static string Bottleneck(NetworkGraph graph, string map, string block, int channels, int planes, int stride)
    {
        var width = 2 * planes;
        var first = graph.Relu(graph.Add(new Convolution($"{block}.conv1", $"{block}.bn1", channels, width, 1), map));
        var second = graph.Relu(
            graph.Add(new Convolution($"{block}.conv2", $"{block}.bn2", width, width, 3, stride), first)
        );
        return graph.Add(new Convolution($"{block}.conv3", $"{block}.bn3", width, 4 * planes, 1), second);
    }
}
