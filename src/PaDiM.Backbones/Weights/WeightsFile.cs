using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// Represents an untrusted file of weights: safetensors, or a PyTorch checkpoint as a zip file (since 1.6) or as a
/// sequence of pickles (before). No code in it is run, and sizes are checked before anything is allocated. Tensors are
/// read one at a time. Not thread-safe.
/// </summary>
internal sealed class WeightsFile : IDisposable
{
    private readonly Stream _stream;

    private WeightsFile(Stream stream, IReadOnlyDictionary<string, WeightTensor> tensors)
    {
        _stream = stream;
        Tensors = tensors;
    }

    /// <summary>Gets the tensors by their names in the file.</summary>
    public IReadOnlyDictionary<string, WeightTensor> Tensors { get; }

    /// <summary>Opens a file. Its first bytes decide the format.</summary>
    /// <exception cref="InvalidDataException">Its format is unknown, it is damaged, or it tries to run code; the
    /// message says which.</exception>
    /// <exception cref="IOException">It does not exist, or cannot be read.</exception>
    public static WeightsFile Open(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            Span<byte> head = stackalloc byte[9];
            head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
            stream.Position = 0;
            return new WeightsFile(
                stream,
                head switch
                {
                    [_, _, _, _, _, _, _, _, (byte)'{'] => SafetensorsWeights.Read(stream),
                    [(byte)'P', (byte)'K', ..] => ZipCheckpoint.Read(stream),
                    [Pickle.Start, ..] => LegacyCheckpoint.Read(stream),
                    _ => throw new InvalidDataException(
                        "The weights file is neither safetensors nor a PyTorch checkpoint."
                    ),
                }
            );
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Quotes a name from a file for messages. Long names are cut, and control characters do not reach the terminal.
    /// </summary>
    public static string Quote(string name) => $"'{TerminalText.Sanitise(name.Length > 100 ? name[..100] : name)}'";

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
