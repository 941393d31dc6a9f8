using System.Text.Json;
using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;

namespace PaDiM.Cli.Evaluation;

/// <summary>Represents the state of one fit of a category: its result, or the embeddings and maps so far.</summary>
/// <param name="path">Its path without an extension.</param>
internal sealed class StateEntry(string path)
{
    private readonly string _result = $"{path}.json",
        _partial = $"{path}.partial";

    /// <summary>Gets whether part of the work is done.</summary>
    public bool IsUnderWay => Directory.Exists(_partial);

    /// <summary>Gets the store for embeddings of training images.</summary>
    public EmbeddingStore Embeddings => new(Path.Combine(_partial, "embeddings"), TimeProvider.System);

    /// <summary>Gets the store for maps of test images.</summary>
    public MapStore Maps => new(Path.Combine(_partial, "maps"));

    /// <summary>Reads the result; null if there is none yet.</summary>
    public SeedResult? Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_result), EvaluationJson.Default.SeedResult);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the result and removes the partial work.</summary>
    public void Write(SeedResult made)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(made, EvaluationJson.Default.SeedResult);
        AtomicFile.Write(_result, stream => stream.Write(bytes));
        if (IsUnderWay)
            Directory.Delete(_partial, recursive: true);
    }
}
