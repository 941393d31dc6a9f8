using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// EfficientNet-B5 (Tan and Le, arXiv 1905.11946) up to its fifth level, as in torchvision and timm.
/// docs/decisions/0014-graphs-from-weights.md explains the choice of taps.
/// </summary>
internal static class EfficientNet
{
    private const string Name = "efficientnet_b5";
    private const int Stem = 48;

    private static readonly Level[] Levels =
    [
        new(1, 24, Kernel: 3, Stride: 1, Blocks: 3),
        new(6, 40, Kernel: 3, Stride: 2, Blocks: 5),
        new(6, 64, Kernel: 5, Stride: 2, Blocks: 5),
        new(6, 128, Kernel: 3, Stride: 2, Blocks: 7),
        new(6, 176, Kernel: 5, Stride: 1, Blocks: 7),
    ];

    private static readonly BackboneTap[] Taps = [new("level2", 4, 40), new("level4", 16, 128), new("level5", 16, 176)];

    /// <summary>Represents blocks of one width.</summary>
    /// <param name="Expansion">The factor by which a block widens its channels inside.</param>
    /// <param name="Channels">The output channels of its blocks.</param>
    /// <param name="Kernel">The kernel of the depthwise convolutions.</param>
    /// <param name="Stride">The stride of the first block.</param>
    /// <param name="Blocks">The number of blocks.</param>
    private sealed record Level(int Expansion, int Channels, int Kernel, int Stride, int Blocks);

    /// <summary>Represents the names of a layer and of the batch normalisation after it, if there is one.</summary>
    private sealed record Layer(string Name, string? Norm = null);

    /// <summary>Represents the names of a block's layers. The first is null if nothing is expanded.</summary>
    private sealed record Block(Layer? Expand, Layer Depthwise, Layer Squeeze, Layer Excite, Layer Project);

    /// <summary>Represents the tensor names of a library.</summary>
    /// <param name="Stem">The first layer.</param>
    /// <param name="GetBlock">Gets a block by its level and its index in the level, both from 0, and whether it
    /// expands.</param>
    private sealed record Naming(Layer Stem, Func<int, int, bool, Block> GetBlock);

    private static readonly Naming Torchvision = new(
        new Layer("features.0.0", "features.0.1"),
        (level, i, expands) =>
        {
            var block = $"features.{level + 1}.{i}.block";
            var first = expands ? 1 : 0;
            Layer Normed(int at) => new($"{block}.{at}.0", $"{block}.{at}.1");
            return new Block(
                expands ? Normed(0) : null,
                Normed(first),
                new Layer($"{block}.{first + 1}.fc1"),
                new Layer($"{block}.{first + 1}.fc2"),
                Normed(first + 2)
            );
        }
    );

    private static readonly Naming Timm = new(
        new Layer("conv_stem", "bn1"),
        (level, i, expands) =>
        {
            var block = $"blocks.{level}.{i}";
            Layer Normed(string name, int norm) => new($"{block}.{name}", $"{block}.bn{norm}");
            var squeeze = new Layer($"{block}.se.conv_reduce");
            var excite = new Layer($"{block}.se.conv_expand");
            return expands
                ? new Block(Normed("conv_pw", 1), Normed("conv_dw", 2), squeeze, excite, Normed("conv_pwl", 3))
                : new Block(null, Normed("conv_dw", 1), squeeze, excite, Normed("conv_pw", 2));
        }
    );

    /// <summary>Gets EfficientNet-B5.</summary>
    public static Network B5 { get; } =
        new(
            Name,
            Taps,
            [
                new NetworkForm(
                    "features.0.0.weight",
                    [.. Enumerable.Range(0, Levels.Length + 1).Select(level => $"features.{level}.")],
                    () => Build(Torchvision, 1e-3)
                ),
                new NetworkForm(
                    "conv_stem.weight",
                    ["conv_stem.", "bn1.", .. Enumerable.Range(0, Levels.Length).Select(level => $"blocks.{level}.")],
                    () => Build(Timm, 1e-5)
                ),
            ]
        );

    private static NetworkGraph Build(Naming naming, double epsilon)
    {
        var graph = new NetworkGraph(Name, epsilon);
        var map = graph.Swish(
            graph.Add(new Convolution(naming.Stem.Name, naming.Stem.Norm, 3, Stem, 3, Stride: 2), NetworkGraph.Image)
        );
        var channels = Stem;
        for (var l = 0; l < Levels.Length; l++)
        for (var i = 0; i < Levels[l].Blocks; i++)
        {
            var level = Levels[l];
            var names = naming.GetBlock(l, i, Levels[l].Expansion > 1);
            var branch = Branch(graph, map, names, channels, level, i == 0 ? level.Stride : 1);
            map =
                i == 0
                    ? branch
                    : graph.Sum(branch, map, i == level.Blocks - 1 ? $"level{l + 1}" : $"{names.Project.Name}.sum");
            channels = level.Channels;
        }
        graph.SetOutputs(Taps);
        return graph;
    }

    /// <summary>
    /// Adds an inverted bottleneck with squeeze and excitation: more channels, one convolution per channel, one factor
    /// per channel computed from all their means, and fewer channels again.
    /// </summary>
    private static string Branch(NetworkGraph graph, string map, Block names, int channels, Level level, int stride)
    {
        var inner = level.Expansion * channels;
        var squeezed = channels / 4;
        if (names.Expand is { } expand)
            map = graph.Swish(graph.Add(new Convolution(expand.Name, expand.Norm, channels, inner, 1), map));
        map = graph.Swish(
            graph.Add(
                new Convolution(
                    names.Depthwise.Name,
                    names.Depthwise.Norm,
                    inner,
                    inner,
                    level.Kernel,
                    stride,
                    Groups: inner
                ),
                map
            )
        );
        var few = graph.Swish(
            graph.Add(new Convolution(names.Squeeze.Name, names.Squeeze.Norm, inner, squeezed, 1), graph.Mean(map))
        );
        var factors = graph.Sigmoid(
            graph.Add(new Convolution(names.Excite.Name, names.Excite.Norm, squeezed, inner, 1), few)
        );
        return graph.Add(
            new Convolution(names.Project.Name, names.Project.Norm, inner, level.Channels, 1),
            graph.Product(map, factors, $"{names.Excite.Name}.product")
        );
    }
}
