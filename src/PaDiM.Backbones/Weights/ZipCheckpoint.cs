using System.IO.Compression;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// Reads checkpoints in the form of PyTorch since 1.6: a zip file with a pickle, <c>NAME/data.pkl</c>, and one entry
/// per storage, <c>NAME/data/KEY</c>, all uncompressed.
/// </summary>
internal static class ZipCheckpoint
{
    private const string PickleName = "data.pkl",
        OrderName = "byteorder";

    /// <summary>Reads the list of tensors. The file must stay open while they are read.</summary>
    /// <exception cref="InvalidDataException">It is damaged, is not a checkpoint, or tries to run code.</exception>
    public static Dictionary<string, WeightTensor> Read(Stream stream) =>
        RunGuarded(() =>
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var pickle =
                archive.Entries.FirstOrDefault(entry => entry.Name == PickleName)
                ?? throw new InvalidDataException(
                    $"The weights file is a zip file without a {PickleName}; it is not a PyTorch checkpoint."
                );
            if (GetStoredLength(pickle, stream) > Pickle.MaxBytes)
                throw new InvalidDataException(
                    $"The weights file is not a list of tensors: its {PickleName} has {pickle.Length} bytes."
                );
            var folder = pickle.FullName[..^PickleName.Length];
            if (
                archive.GetEntry(folder + OrderName) is { } order
                && !ReadContent(order, Math.Min(GetStoredLength(order, stream), 16)).AsSpan().SequenceEqual("little"u8)
            )
                throw new InvalidDataException(
                    "The weights file was saved on a machine with another byte order. "
                        + "Save it again on a machine like this one."
                );
            return Checkpoint.FindTensors(
                Pickle.Read(new PickleInput(ReadContent(pickle, pickle.Length))),
                storage => OpenStorage(archive.GetEntry($"{folder}data/{storage.Key}"), storage, stream)
            );
        });

    private static Checkpoint.ReadStorage OpenStorage(ZipArchiveEntry? entry, Storage storage, Stream stream)
    {
        if (entry is null || storage.Length > GetStoredLength(entry, stream) / storage.Type.GetSize())
            throw new InvalidDataException(
                $"The weights file is damaged: storage {WeightsFile.Quote(storage.Key)} "
                    + $"of {storage.Length} numbers is incomplete."
            );
        return (first, into) =>
        {
            try
            {
                using var data = entry.Open();
                Skip(data, first);
                data.ReadExactly(into);
            }
            catch (Exception e) when (IsDamage(e))
            {
                throw Damaged(e);
            }
        };
    }

    /// <summary>Gets the length of an entry, at most that of the file: nothing is decompressed.</summary>
    private static long GetStoredLength(ZipArchiveEntry entry, Stream stream) =>
        entry.Length == entry.CompressedLength && entry.Length <= stream.Length
            ? entry.Length
            : throw new InvalidDataException(
                "The weights file is a zip file with compressed entries, unlike any checkpoint."
            );

    private static byte[] ReadContent(ZipArchiveEntry entry, long length)
    {
        var content = new byte[length];
        using var data = entry.Open();
        data.ReadExactly(content);
        return content;
    }

    private static void Skip(Stream data, long count)
    {
        var buffer = new byte[Math.Min(count, 1 << 16)];
        for (; count > 0; count -= Math.Min(count, buffer.Length))
            data.ReadExactly(buffer.AsSpan(0, (int)Math.Min(count, buffer.Length)));
    }

    private static T RunGuarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(e);
        }
    }

    /// <summary>
    /// Gets whether an exception means a damaged file: a changed byte makes the framework's reader throw these, besides
    /// <see cref="InvalidDataException"/>.
    /// </summary>
    private static bool IsDamage(Exception e) =>
        e
            is EndOfStreamException
                or NotSupportedException
                or ArgumentException
                or OverflowException
                or InvalidOperationException;

    private static InvalidDataException Damaged(Exception e) => new($"The weights file is damaged: {e.Message}", e);
}
