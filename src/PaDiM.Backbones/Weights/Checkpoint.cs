using System.Runtime.InteropServices;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// The common part of both forms of PyTorch checkpoints: how pickles refer to storages, where the tensors are, and how
/// numbers become values.
/// </summary>
internal static class Checkpoint
{
    private const int MaxDepth = 4;

    /// <summary>Reads the bytes of numbers in a storage.</summary>
    /// <param name="first">The first byte.</param>
    /// <param name="into">The buffer to fill.</param>
    /// <exception cref="InvalidDataException">The file ends too early.</exception>
    public delegate void ReadStorage(long first, Span<byte> into);

    /// <summary>
    /// Gets the storage that a pickle refers to by <c>('storage', type, key, location, length)</c>, followed by a view
    /// in the old form.
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
                "The weights file has a storage that is part of another one. "
                    + "Save its tensors again with a current PyTorch."
            ),
            _ => throw new InvalidDataException(
                "The weights file is damaged: its pickle refers to something that is not a storage."
            ),
        };

    /// <summary>
    /// Finds the tensors of the first dictionary that has any by name, level by level and in the order of the file: the
    /// root, or the value that a training checkpoint has under a key such as <c>state_dict</c> beside epochs and
    /// settings.
    /// </summary>
    /// <param name="root">The value of the pickle.</param>
    /// <param name="open">Opens a storage of the file, or throws <see cref="InvalidDataException"/> if it is
    /// incomplete.</param>
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
        throw new InvalidDataException("The weights file has no tensors with names.");
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
                        $"Tensor {WeightsFile.Quote(name)} has type {type}; weights must be floating-point numbers."
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
