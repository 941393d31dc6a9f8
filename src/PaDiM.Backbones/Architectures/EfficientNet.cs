using PaDiM.Engine.Catalogue;

namespace PaDiM.Backbones.Architectures;

/// <summary>
/// EfficientNet-B5 (Tan and Le, arXiv 1905.11946) up to its fifth level, as in torchvision and timm, and
/// EfficientNetV2-S and -M (Tan and Le, arXiv 2104.00298) likewise, as in torchvision.
/// docs/decisions/0014-graphs-from-weights.md explains the choice of taps.
/// </summary>
internal static class EfficientNet
{
    /// <summary>Added to variances by torchvision.</summary>
    private const double Epsilon = 1e-3;

    /// <summary>Added to variances by timm.</summary>
    private const double TimmEpsilon = 1e-5;

    private static readonly Design B5Design = new(
        "efficientnet_b5",
        Stem: 48,
        [
            new(1, 24, Kernel: 3, Stride: 1, Blocks: 3),
            new(6, 40, Kernel: 3, Stride: 2, Blocks: 5),
            new(6, 64, Kernel: 5, Stride: 2, Blocks: 5),
            new(6, 128, Kernel: 3, Stride: 2, Blocks: 7),
            new(6, 176, Kernel: 5, Stride: 1, Blocks: 7),
        ],
        [new("level2", 4, 40), new("level4", 16, 128), new("level5", 16, 176)]
    );

    private static readonly Design V2SmallDesign = new(
        "efficientnet_v2_s",
        Stem: 24,
        [
            new(1, 24, Kernel: 3, Stride: 1, Blocks: 2, IsFused: true),
            new(4, 48, Kernel: 3, Stride: 2, Blocks: 4, IsFused: true),
            new(4, 64, Kernel: 3, Stride: 2, Blocks: 4, IsFused: true),
            new(4, 128, Kernel: 3, Stride: 2, Blocks: 6),
            new(6, 160, Kernel: 3, Stride: 1, Blocks: 9),
        ],
        [new("level2", 4, 48), new("level3", 8, 64), new("level5", 16, 160)]
    );

    private static readonly Design V2MediumDesign = new(
        "efficientnet_v2_m",
        Stem: 24,
        [
            new(1, 24, Kernel: 3, Stride: 1, Blocks: 3, IsFused: true),
            new(4, 48, Kernel: 3, Stride: 2, Blocks: 5, IsFused: true),
            new(4, 80, Kernel: 3, Stride: 2, Blocks: 5, IsFused: true),
            new(4, 160, Kernel: 3, Stride: 2, Blocks: 7),
            new(6, 176, Kernel: 3, Stride: 1, Blocks: 14),
        ],
        [new("level2", 4, 48), new("level3", 8, 80), new("level5", 16, 176)]
    );

    /// <summary>Represents a network up to its last tap.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Stem">The output channels of its first layer.</param>
    /// <param name="Levels">Its levels.</param>
    /// <param name="Taps">Its taps.</param>
    private sealed record Design(string Name, int Stem, Level[] Levels, BackboneTap[] Taps);

    /// <summary>Represents blocks of one width.</summary>
    /// <param name="Expansion">The factor by which a block widens its channels inside.</param>
    /// <param name="Channels">The output channels of its blocks.</param>
    /// <param name="Kernel">The kernel of the depthwise convolutions, or of the fused ones.</param>
    /// <param name="Stride">The stride of the first block.</param>
    /// <param name="Blocks">The number of blocks.</param>
    /// <param name="IsFused">Whether one convolution widens the channels and looks at their surroundings, without
    /// squeeze and excitation.</param>
    private sealed record Level(int Expansion, int Channels, int Kernel, int Stride, int Blocks, bool IsFused = false);

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
            B5Design.Name,
            B5Design.Taps,
            [
                CreateTorchvisionForm(B5Design),
                new NetworkForm(
                    "conv_stem.weight",
                    [
                        "conv_stem.",
                        "bn1.",
                        .. Enumerable.Range(0, B5Design.Levels.Length).Select(level => $"blocks.{level}."),
                    ],
                    () => Build(B5Design, Timm, TimmEpsilon)
                ),
            ]
        );

    /// <summary>
    /// Gets EfficientNetV2-S. The trained weights of timm's networks of this design pad as TensorFlow does, so only
    /// torchvision's names are read.
    /// </summary>
    public static Network V2Small { get; } =
        new(V2SmallDesign.Name, V2SmallDesign.Taps, [CreateTorchvisionForm(V2SmallDesign)]);

    /// <summary>Gets EfficientNetV2-M.</summary>
    public static Network V2Medium { get; } =
        new(V2MediumDesign.Name, V2MediumDesign.Taps, [CreateTorchvisionForm(V2MediumDesign)]);

    private static NetworkForm CreateTorchvisionForm(Design design) =>
        new(
            "features.0.0.weight",
            [.. Enumerable.Range(0, design.Levels.Length + 1).Select(level => $"features.{level}.")],
            () => Build(design, Torchvision, Epsilon)
        );

    private static NetworkGraph Build(Design design, Naming naming, double epsilon)
    {
        var graph = new NetworkGraph(design.Name, epsilon);
        var stem = new Convolution(naming.Stem.Name, naming.Stem.Norm, 3, design.Stem, 3, Stride: 2);
        var map = graph.Swish(graph.Add(stem, NetworkGraph.Image));
        var channels = design.Stem;
        for (var l = 0; l < design.Levels.Length; l++)
        for (var i = 0; i < design.Levels[l].Blocks; i++)
        {
            var level = design.Levels[l];
            var stride = i == 0 ? level.Stride : 1;
            var branch = level.IsFused
                ? FusedBranch(graph, map, $"features.{l + 1}.{i}.block", channels, level, stride)
                : Branch(graph, map, naming.GetBlock(l, i, level.Expansion > 1), channels, level, stride);
            if (stride == 1 && channels == level.Channels)
                branch = graph.Sum(branch, map, i == level.Blocks - 1 ? $"level{l + 1}" : $"{branch}.sum");
            map = branch;
            channels = level.Channels;
        }
        graph.SetOutputs(design.Taps);
        return graph;
    }

    /// <summary>
    /// Adds a bottleneck whose expansion and depthwise convolution are one: more channels, and fewer again.
    /// </summary>
    private static string FusedBranch(
        NetworkGraph graph,
        string map,
        string block,
        int channels,
        Level level,
        int stride
    )
    {
        var inner = level.Expansion * channels;
        var expands = level.Expansion > 1;
        map = graph.Swish(
            graph.Add(
                new Convolution(
                    $"{block}.0.0",
                    $"{block}.0.1",
                    channels,
                    expands ? inner : level.Channels,
                    level.Kernel,
                    stride
                ),
                map
            )
        );
        return expands
            ? graph.Add(new Convolution($"{block}.1.0", $"{block}.1.1", inner, level.Channels, 1), map)
            : map;
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
