using System.IO.Compression;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// Checkpoints as PyTorch has written them since 1.6: a zip file of a pickle, <c>NAME/data.pkl</c>, and an entry a
/// storage, <c>NAME/data/KEY</c>, all of them stored as they are.
/// </summary>
internal static class ZipCheckpoint
{
    private const string PickleName = "data.pkl",
        OrderName = "byteorder";

    /// <summary>The tensors of a file, which must stay open while they are read.</summary>
    /// <exception cref="InvalidDataException">It is damaged, is no checkpoint, or wants something run.</exception>
    public static Dictionary<string, WeightTensor> Read(Stream stream) =>
        RunGuarded(() =>
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var pickle =
                archive.Entries.FirstOrDefault(entry => entry.Name == PickleName)
                ?? throw new InvalidDataException(
                    $"The weights file is a zip file without a {PickleName}; it is no PyTorch checkpoint."
                );
            if (GetStoredLength(pickle, stream) > Pickle.MaxBytes)
                throw new InvalidDataException(
                    $"The weights file is no list of tensors: its {PickleName} has {pickle.Length} bytes."
                );
            var folder = pickle.FullName[..^PickleName.Length];
            if (
                archive.GetEntry(folder + OrderName) is { } order
                && !ReadContent(order, Math.Min(GetStoredLength(order, stream), 16)).AsSpan().SequenceEqual("little"u8)
            )
                throw new InvalidDataException(
                    "The weights file was saved on a machine with another order of bytes; save it anew on one like this."
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
                $"The weights file is damaged: storage {WeightsFile.Quote(storage.Key)} of {storage.Length} numbers is not there in full."
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

    /// <summary>Bytes of an entry, which are no more than the file has: nothing is unpacked.</summary>
    private static long GetStoredLength(ZipArchiveEntry entry, Stream stream) =>
        entry.Length == entry.CompressedLength && entry.Length <= stream.Length
            ? entry.Length
            : throw new InvalidDataException(
                "The weights file is a zip file of packed entries, which no checkpoint is."
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
    /// What a zip file with a byte changed can make the framework's reader throw, besides <see
    /// cref="InvalidDataException"/>.
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
