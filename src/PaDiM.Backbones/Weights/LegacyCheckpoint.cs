using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// Reads checkpoints in the form that PyTorch wrote before 1.6, and torchvision still publishes: five pickles in a row
/// (a magic number, a version, system information, the object, the keys of its storages), then the storages in the
/// order of their keys, each as its length and its numbers.
/// </summary>
internal static class LegacyCheckpoint
{
    private const long ProtocolVersion = 1001;

    private static readonly BigInteger Magic = BigInteger.Parse(
        "01950a86a20f9469cfc6c",
        NumberStyles.HexNumber,
        CultureInfo.InvariantCulture
    );

    /// <summary>Reads the list of tensors. The file must stay open while they are read.</summary>
    /// <exception cref="InvalidDataException">It is damaged, is not a checkpoint, or tries to run code.</exception>
    public static Dictionary<string, WeightTensor> Read(Stream stream)
    {
        var head = new byte[Math.Min(stream.Length, Pickle.MaxBytes)];
        stream.ReadExactly(head);
        var input = new PickleInput(head);
        if (Pickle.Read(input) is not BigInteger magic || magic != Magic || Pickle.Read(input) is not ProtocolVersion)
            throw new InvalidDataException("The weights file is a pickle, but not a PyTorch checkpoint.");
        if (
            Pickle.Read(input) is not OrderedDictionary<object, object?> machine
            || !machine.TryGetValue("little_endian", out var little)
            || little is not true
        )
            throw new InvalidDataException(
                "The weights file was saved on a machine with another byte order. "
                    + "Save it again on a machine like this one."
            );
        var types = new Dictionary<string, ElementType>(StringComparer.Ordinal);
        var root = Pickle.Read(input, storage => types[storage.Key] = storage.Type);
        if (Pickle.Read(input) is not List<object?> keys)
            throw Damaged();
        var found = LocateStorages(stream, input.Position, keys, types);
        return Checkpoint.FindTensors(
            root,
            storage =>
            {
                if (
                    !found.TryGetValue(storage.Key, out var bytes)
                    || storage.Length > bytes.Length / storage.Type.GetSize()
                )
                    throw Damaged();
                return (first, into) =>
                {
                    stream.Position = bytes.Start + first;
                    stream.ReadExactly(into);
                };
            }
        );
    }

    /// <summary>Finds the position and length of each storage's numbers in the file, in bytes.</summary>
    private static Dictionary<string, (long Start, long Length)> LocateStorages(
        Stream stream,
        long at,
        List<object?> keys,
        Dictionary<string, ElementType> types
    )
    {
        var found = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        Span<byte> length = stackalloc byte[sizeof(long)];
        foreach (var key in keys)
        {
            if (key is not string name || !types.TryGetValue(name, out var type))
                throw Damaged();
            stream.Position = at;
            if (stream.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) < length.Length)
                throw Damaged();
            at += length.Length;
            var numbers = BinaryPrimitives.ReadInt64LittleEndian(length);
            if (
                numbers < 0
                || numbers > (stream.Length - at) / type.GetSize()
                || !found.TryAdd(name, (at, numbers * type.GetSize()))
            )
                throw Damaged();
            at += numbers * type.GetSize();
        }
        return found;
    }

    private static InvalidDataException Damaged() => new("The weights file is damaged: its storages are incomplete.");
}
