using PaDiM.Core.Persistence;

namespace PaDiM.Backbones.Weights;

/// <summary>Reads weights in the safetensors format of other programs.</summary>
internal static class SafetensorsWeights
{
    /// <summary>Reads the list of tensors. The file must stay open while they are read.</summary>
    /// <exception cref="InvalidDataException">The header does not describe the file.</exception>
    public static Dictionary<string, WeightTensor> Read(Stream stream)
    {
        var reader = SafetensorsReader.Open(stream, verified: true);
        return reader.Names.ToDictionary(
            name => name,
            name => new WeightTensor(reader.GetShape(name), () => Read(reader, name)),
            StringComparer.Ordinal
        );
    }

    private static float[] Read(SafetensorsReader reader, string name)
    {
        long[] shape = [.. reader.GetShape(name)];
        return reader.GetTypeName(name) switch
        {
            "F32" => reader.ReadArray<float>(name, shape),
            "F64" => Array.ConvertAll(reader.ReadArray<double>(name, shape), value => (float)value),
            "F16" => Array.ConvertAll(reader.ReadArray<Half>(name, shape), value => (float)value),
            "BF16" => Array.ConvertAll(reader.ReadArray<ushort>(name, shape), BrainFloat.ToSingle),
            var type => throw new InvalidDataException(
                $"Tensor {WeightsFile.Quote(name)} has type {type}; weights must be floating-point numbers."
            ),
        };
    }
}
