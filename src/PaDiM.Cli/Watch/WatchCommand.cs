using System.CommandLine;
using System.Text.RegularExpressions;
using PaDiM.Client;

namespace PaDiM.Cli.Watch;

/// <summary><c>padim watch DIR --category C</c>: scores each image that arrives in a folder, with a running service.</summary>
internal static class WatchCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    public static Command Create()
    {
        var folder = new Argument<string>("dir")
        {
            Description = "Folder that images arrive in; subfolders do not count.",
        };
        var category = new Option<string>("--category", "-c")
        {
            Description = "Category to score with.",
            Required = true,
        };
        var url = new Option<string>("--url")
        {
            Description = "Address of the service.",
            HelpName = "address",
            DefaultValueFactory = _ => "http://localhost:8080",
        };
        url.Require(
            text => Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https" },
            "--url must be absolute, http or https."
        );
        var keyFile = new Option<string?>("--key-file") { Description = "File with the key.", HelpName = "file" };
        var sinks = new Option<string[]>("--sink")
        {
            Description =
                "Where results go; may be repeated: - (JSON lines on standard output, the default), csv:FILE, jsonl:FILE, "
                + "move:DIR, mqtt://broker/topic.",
        };
        sinks.Require(AreSinks, "--sink must be -, csv:FILE, jsonl:FILE, move:DIR or mqtt://broker/topic.");
        var existing = new Option<bool>("--existing")
        {
            Description = "Score the images that are there at the start too.",
        };
        var settle = new Option<int>("--settle")
        {
            Description = "Milliseconds for which a file must not change before it counts as whole.",
            DefaultValueFactory = _ => 500,
        };
        settle.Require(value => value is >= 0 and <= 600_000, "--settle must be between 0 and 600000.");
        var pattern = new Option<string?>("--names")
        {
            Description =
                "Regular expression for file names, whose groups part, station and lot name the part, such as "
                + "(?<lot>\\w+)-(?<part>\\d+).",
            HelpName = "pattern",
        };
        pattern.Require(text => text is null || TryParse(text) is not null, "--names must be a regular expression.");
        var station = new Option<string?>("--station") { Description = "Name of the station." };
        var lot = new Option<string?>("--lot") { Description = "Name of the lot." };
        var command = new Command("watch", "Score each image that arrives in a folder, with a running service.")
        {
            folder,
            category,
            url,
            keyFile,
            sinks,
            existing,
            settle,
            pattern,
            station,
            lot,
        };
        command.SetAction(
            async (arguments, stop) =>
            {
                var path = Path.GetFullPath(arguments.GetValue(folder)!);
                var files = new ArrivedFiles(
                    path,
                    TimeSpan.FromMilliseconds(arguments.GetValue(settle)),
                    TimeProvider.System
                );
                if (!arguments.GetValue(existing))
                    files.PassOver();
                var key = arguments.GetValue(keyFile) is { } secret
                    ? (await File.ReadAllTextAsync(secret, stop)).Trim()
                    : null;
                using var client = new PadimClient(new Uri(arguments.GetValue(url)!), key);
                string[] texts = arguments.GetValue(sinks) is { Length: > 0 } given ? given : ["-"];
                var opened = texts.Select(WatchSink.Parse).OrderBy(sink => sink.MovesFile).ToArray();
                var scorer = new FolderScorer(
                    client,
                    arguments.GetValue(category)!,
                    opened,
                    arguments.GetValue(pattern) is { } text ? TryParse(text) : null,
                    arguments.GetValue(station),
                    arguments.GetValue(lot),
                    TimeProvider.System
                );
                try
                {
                    await WatchAsync(path, files, scorer, stop);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    // Ctrl+C ends it, which is no failure.
                }
                finally
                {
                    foreach (var sink in opened)
                        await sink.DisposeAsync();
                }
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static async Task WatchAsync(
        string path,
        ArrivedFiles files,
        FolderScorer scorer,
        CancellationToken cancellationToken
    )
    {
        await Console.Error.WriteLineAsync($"padim: watching {path}. Ctrl+C ends it.");
        for (var isThere = true; ; await Task.Delay(LookEvery, cancellationToken))
            try
            {
                foreach (var file in files.Take())
                    try
                    {
                        await scorer.ScoreAsync(file, cancellationToken);
                    }
                    // It is gone, or its writer still has it: it arrives again.
                    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                    {
                        files.PutBack(file);
                    }
                isThere = true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (isThere)
                    await Console.Error.WriteLineAsync($"padim: {e.Message} Waiting for the folder.");
                isThere = false;
            }
    }

    private static bool AreSinks(string[] texts)
    {
        try
        {
            return texts.Select(WatchSink.Parse).Count() == texts.Length;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static Regex? TryParse(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
