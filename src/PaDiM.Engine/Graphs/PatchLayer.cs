using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Represents the layer of a vision transformer that turns each patch of the image into a token: the only convolution
/// of the network, with a kernel as large as its stride.
/// </summary>
/// <param name="Map">Name of its output, (n, channels, rows of patches, columns of patches).</param>
/// <param name="Size">Pixels along a side of a patch.</param>
internal sealed record PatchLayer(string Map, int Size)
{
    private static readonly HashSet<string> Attentions =
    [
        "Softmax",
        "Attention",
        "MultiHeadAttention",
        "PackedAttention",
        "GroupQueryAttention",
    ];

    /// <summary>The largest patch that is taken for one, in pixels.</summary>
    private const int LargestSize = 128;

    /// <summary>Finds the layer; null if the network is not a vision transformer.</summary>
    public static PatchLayer? Find(GraphEditor editor)
    {
        var convolutions = editor.Graph.Node.Where(node => node.OpType == "Conv").Take(2).ToArray();
        return
            convolutions is [{ Output.Count: > 0 } conv]
            && CountAttentions(editor) > 0
            && GetSize(editor, conv) is { } size
            ? new PatchLayer(conv.Output[0], size)
            : null;
    }

    /// <summary>Counts the layers in which tokens attend to each other, which is one per block.</summary>
    public static int CountAttentions(GraphEditor editor) =>
        editor.Graph.Node.Count(node => Attentions.Contains(node.OpType));

    private static int? GetSize(GraphEditor editor, NodeProto conv)
    {
        var strides = conv.Attribute.FirstOrDefault(attribute => attribute.Name == "strides")?.Ints;
        var kernel = conv.Attribute.FirstOrDefault(attribute => attribute.Name == "kernel_shape")?.Ints;
        kernel ??= editor.Graph.Initializer.FirstOrDefault(tensor => conv.Input.Skip(1).Contains(tensor.Name))?.Dims;
        return
            strides is [var down, var right]
            && down == right
            && down is > 1 and <= LargestSize
            && kernel is { Count: >= 2 }
            && kernel[^1] == down
            && kernel[^2] == down
            ? (int)down
            : null;
    }
}
