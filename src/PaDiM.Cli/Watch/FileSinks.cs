using System.Globalization;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;

namespace PaDiM.Cli.Watch;

/// <summary>Writes a JSON object and line per file, to standard output or to the end of a file.</summary>
internal sealed class JsonLinesSink(string? path) : WatchSink
{
    public override Task WriteAsync(WatchLine line, FileInfo file, CancellationToken cancellationToken)
    {
        var text = JsonSerializer.Serialize(line, WatchJson.Default.WatchLine);
        if (path is not null)
            return File.AppendAllTextAsync(path, text + "\n", cancellationToken);
        Console.Out.WriteLine(text);
        return Task.CompletedTask;
    }
}

/// <summary>Writes a row per file to the end of a CSV file. Cells that a spreadsheet would compute are texts.</summary>
internal sealed class CsvSink(string path) : WatchSink
{
    public override async Task WriteAsync(WatchLine line, FileInfo file, CancellationToken cancellationToken)
    {
        var settings = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            HasHeaderRecord = !File.Exists(path) || new FileInfo(path).Length == 0,
            InjectionOptions = InjectionOptions.Escape,
        };
        await using var writer = new StreamWriter(path, append: true);
        await using var csv = new CsvWriter(writer, settings);
        csv.Context.TypeConverterOptionsCache.GetOptions<DateTime>().Formats = ["O"];
        await csv.WriteRecordsAsync([line], cancellationToken);
    }
}

/// <summary>Moves files into a folder for each decision: <c>normal</c>, <c>review</c>, <c>anomalous</c> and <c>failed</c>.</summary>
internal sealed class MoveSink(string folder) : WatchSink
{
    public override bool MovesFile => true;

    public override Task WriteAsync(WatchLine line, FileInfo file, CancellationToken cancellationToken)
    {
        if (!File.Exists(file.FullName))
            return Task.CompletedTask;
        var target = Directory.CreateDirectory(Path.Combine(folder, line.Decision ?? "failed")).FullName;
        var name = file.Name;
        // A name that comes again is another photograph.
        for (var i = 2; File.Exists(Path.Combine(target, name)); i++)
            name = $"{Path.GetFileNameWithoutExtension(file.Name)}-{i}{file.Extension}";
        File.Move(file.FullName, Path.Combine(target, name));
        return Task.CompletedTask;
    }
}
