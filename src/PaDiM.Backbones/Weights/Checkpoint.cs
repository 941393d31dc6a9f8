using System.Runtime.InteropServices;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// What both forms of PyTorch's checkpoints share: how pickles refer to storages, where in them the tensors are, and
/// how numbers become values.
/// </summary>
internal static class Checkpoint
{
    private const int MaxDepth = 4;

    /// <summary>Reads numbers of a storage, as bytes.</summary>
    /// <param name="first">First byte.</param>
    /// <param name="into">Filled whole.</param>
    /// <exception cref="InvalidDataException">The file ends before.</exception>
    public delegate void ReadStorage(long first, Span<byte> into);

    /// <summary>
    /// The storage that a pickle refers to by <c>('storage', type, key, location, length)</c>, in the old form with a
    /// view behind.
    /// </summary>
    /// <exception cref="InvalidDataException">It refers to something else.</exception>
    public static Storage ToStorage(object? reference) =>
        reference switch
        {
            object?[]
            and [
                "storage",
                PickleGlobal { Kind: PickleGlobal.Kinds.StorageType } type,
                string key,
                _,
                long
                and >= 0
                and var length,
                .. ([] or [null]),
            ] => new Storage(type.Type, key, length),
            object?[] and ["storage", _, _, _, _, not null] => throw new InvalidDataException(
                "The weights file has a storage that is part of another one; save its tensors anew with a current PyTorch."
            ),
            _ => throw new InvalidDataException(
                "The weights file is damaged: its pickle refers to something that is no storage."
            ),
        };

    /// <summary>
    /// The tensors of the first dictionary that holds any by name, in the order of the file and level by level: the
    /// root, or what a checkpoint of training keeps under a key such as <c>state_dict</c> beside epochs and settings.
    /// </summary>
    /// <param name="root">What the pickle says.</param>
    /// <param name="open">Finds a storage in the file, or throws <see cref="InvalidDataException"/> where it is not
    /// there in full length.</param>
    /// <exception cref="InvalidDataException">There is no such dictionary.</exception>
    public static Dictionary<string, WeightTensor> FindTensors(object? root, Func<Storage, ReadStorage> open)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        List<object?> level = [root];
        for (var depth = 0; depth < MaxDepth; depth++)
        {
            OrderedDictionary<object, object?>[] dictionaries =
            [
                .. level.OfType<OrderedDictionary<object, object?>>().Where(seen.Add),
            ];
            if (
                dictionaries.FirstOrDefault(dictionary =>
                    dictionary.Any(pair => pair is { Key: string, Value: StridedTensor })
                ) is
                { } found
            )
                return found
                    .Where(pair => pair is { Key: string, Value: StridedTensor })
                    .ToDictionary(
                        pair => (string)pair.Key,
                        pair => ToWeightTensor((string)pair.Key, (StridedTensor)pair.Value!, open),
                        StringComparer.Ordinal
                    );
            level = [.. dictionaries.SelectMany(dictionary => dictionary.Values)];
        }
        throw new InvalidDataException("The weights file holds no tensors by name.");
    }

    private static WeightTensor ToWeightTensor(string name, StridedTensor tensor, Func<Storage, ReadStorage> open)
    {
        var read = open(tensor.Storage);
        return new WeightTensor(
            tensor.Shape,
            () =>
                tensor.Storage.Type switch
                {
                    ElementType.Float => Read<float>(tensor, read, value => value),
                    ElementType.Double => Read<double>(tensor, read, value => (float)value),
                    ElementType.Half => Read<Half>(tensor, read, value => (float)value),
                    ElementType.BFloat16 => Read<ushort>(tensor, read, BrainFloat.ToSingle),
                    var type => throw new InvalidDataException(
                        $"Tensor {WeightsFile.Quote(name)} is of type {type}; weights are floating-point numbers."
                    ),
                }
        );
    }

    private static float[] Read<T>(StridedTensor tensor, ReadStorage read, Func<T, float> convert)
        where T : unmanaged
    {
        var stored = new T[tensor.Span];
        if (stored.Length > 0)
            read(tensor.Offset * tensor.Storage.Type.GetSize(), MemoryMarshal.AsBytes(stored.AsSpan()));
        return tensor.Gather(stored, convert);
    }
}
