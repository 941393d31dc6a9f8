using System.Runtime.InteropServices;
using PaDiM.Engine.Graphs.Schema;
using DataType = PaDiM.Engine.Graphs.Schema.TensorProto.Types.DataType;

namespace PaDiM.Engine.Graphs;

/// <summary>
/// Finds the tensors of a graph whose values are in the file: weights, constants, and float16 values widened by a Cast.
/// </summary>
internal sealed class Constants
{
    private readonly Dictionary<string, TensorProto> _tensors = new(StringComparer.Ordinal);

    public Constants(GraphProto graph)
    {
        foreach (var tensor in graph.Initializer)
            _tensors[tensor.Name] = tensor;
        foreach (var node in graph.Node.Where(node => node.Output.Count == 1))
        {
            if (node.OpType == "Constant" && node.Attribute.FirstOrDefault(a => a.Name == "value")?.T is { } value)
                _tensors[node.Output[0]] = value;
            else if (node.OpType is "Cast" or "Identity" && _tensors.TryGetValue(node.Input[0], out var source))
                _tensors[node.Output[0]] = source;
        }
    }

    /// <summary>Gets whether the file contains the values of a tensor.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>
    /// Finds the shape and the values of a tensor, row-major; null if the values are not in the file or are not
    /// floating-point numbers.
    /// </summary>
    public (int[] Shape, float[] Values)? Find(string name)
    {
        if (!_tensors.TryGetValue(name, out var tensor) || ReadValues(tensor) is not { } values)
            return null;
        int[] shape = [.. tensor.Dims.Select(extent => (int)extent)];
        return values.Length == shape.Aggregate(1, (product, extent) => product * extent) ? (shape, values) : null;
    }

    private static float[]? ReadValues(TensorProto tensor) =>
        (DataType)tensor.DataType switch
        {
            DataType.Float => tensor.FloatData.Count > 0
                ? [.. tensor.FloatData]
                : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray(),
            DataType.Float16 => tensor.Int32Data.Count > 0
                ? [.. tensor.Int32Data.Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits))]
                : [.. MemoryMarshal.Cast<byte, Half>(tensor.RawData.Span).ToArray().Select(value => (float)value)],
            _ => null,
        };
}
