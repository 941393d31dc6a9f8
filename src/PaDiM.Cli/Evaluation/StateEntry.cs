using System.Text.Json;
using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;

namespace PaDiM.Cli.Evaluation;

/// <summary>What is kept of one fit of a category: its result, or the embeddings and maps made so far.</summary>
/// <param name="path">Where, without an extension.</param>
internal sealed class StateEntry(string path)
{
    private readonly string _result = $"{path}.json",
        _partial = $"{path}.partial";

    /// <summary>Part of the work is done.</summary>
    public bool IsUnderWay => Directory.Exists(_partial);

    /// <summary>Embeddings of training images.</summary>
    public EmbeddingStore Embeddings => new(Path.Combine(_partial, "embeddings"), TimeProvider.System);

    /// <summary>Maps of test images.</summary>
    public MapStore Maps => new(Path.Combine(_partial, "maps"));

    /// <summary>The result, or null where it is still to be made.</summary>
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

    /// <summary>Keeps the result; what it was made from goes.</summary>
    public void Write(SeedResult made)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(made, EvaluationJson.Default.SeedResult);
        AtomicFile.Write(_result, stream => stream.Write(bytes));
        if (IsUnderWay)
            Directory.Delete(_partial, recursive: true);
    }
}
