using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Weights;

/// <summary>
/// A file of weights that may come from anywhere: safetensors, or a PyTorch checkpoint as a zip file (since 1.6) or as
/// a sequence of pickles (before). Nothing in it is run, and what it says of sizes is checked before anything is
/// allocated. Tensors are read one at a time. Not thread-safe.
/// </summary>
internal sealed class WeightsFile : IDisposable
{
    private readonly Stream _stream;

    private WeightsFile(Stream stream, IReadOnlyDictionary<string, WeightTensor> tensors)
    {
        _stream = stream;
        Tensors = tensors;
    }

    /// <summary>Tensors by the names that the file gives them.</summary>
    public IReadOnlyDictionary<string, WeightTensor> Tensors { get; }

    /// <summary>Opens a file; its first bytes say which of the formats it has.</summary>
    /// <exception cref="InvalidDataException">It has none of them, is damaged, or wants something run, with a sentence
    /// that says so.</exception>
    /// <exception cref="IOException">It is not there, or cannot be read.</exception>
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
    /// A name from a file as it stands in messages, where a hostile one is neither long nor writes control characters
    /// to a terminal.
    /// </summary>
    public static string Quote(string name) => $"'{TerminalText.Sanitise(name.Length > 100 ? name[..100] : name)}'";

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
