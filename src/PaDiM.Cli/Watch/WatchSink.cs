namespace PaDiM.Cli.Watch;

/// <summary>Receives what became of a file.</summary>
internal abstract class WatchSink : IAsyncDisposable
{
    /// <summary>Gets whether it moves the file, so that it comes last.</summary>
    public virtual bool MovesFile => false;

    /// <summary>Opens the sink that a text describes.</summary>
    /// <exception cref="FormatException">It describes none.</exception>
    public static WatchSink Parse(string text)
    {
        if (text == "-")
            return new JsonLinesSink(null);
        if (MqttSink.TryParse(text) is { } broker)
            return broker;
        return text.Split(':', 2) switch
        {
            ["jsonl", { Length: > 0 } file] => new JsonLinesSink(file),
            ["csv", { Length: > 0 } file] => new CsvSink(file),
            ["move", { Length: > 0 } folder] => new MoveSink(folder),
            _ => throw new FormatException(
                $"--sink must be -, csv:FILE, jsonl:FILE, move:DIR or mqtt://broker/topic, not '{text}'."
            ),
        };
    }

    /// <summary>Takes a line.</summary>
    /// <param name="line">What became of the file.</param>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">It could not, and may later.</exception>
    public abstract Task WriteAsync(WatchLine line, FileInfo file, CancellationToken cancellationToken);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
