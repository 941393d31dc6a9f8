using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary>
/// Appends inspections to a CSV file per day, replica and size, and puts the images beside it. A line is there whole or not
/// at all, whatever the process and the disk do.
/// </summary>
internal sealed class FolderTarget : SinkTarget
{
    private const string DayFormat = "yyyy-MM-dd";

    private static readonly CsvConfiguration Format = new(CultureInfo.InvariantCulture)
    {
        // A spreadsheet would run a name that starts like a formula.
        InjectionOptions = InjectionOptions.Escape,
        NewLine = "\n",
    };

    private static readonly (string Name, Func<Inspection, object?> Get)[] Columns =
    [
        ("at", inspection => inspection.At.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)),
        ("category", inspection => inspection.Category),
        ("id", inspection => inspection.Id),
        ("part", inspection => inspection.Part),
        ("station", inspection => inspection.Station),
        ("lot", inspection => inspection.Lot),
        ("decision", inspection => Choices.GetName(inspection.Decision)),
        ("score", inspection => inspection.Score),
        ("threshold", inspection => inspection.Threshold),
        ("pValue", inspection => inspection.PValue),
        ("decidedBy", inspection => inspection.DecidedBy),
        ("modelVersion", inspection => inspection.ModelVersion),
        ("thresholdVersion", inspection => inspection.ThresholdVersion),
        ("fallback", inspection => inspection.Fallback ? "true" : "false"),
        ("regions", inspection => inspection.Regions.Count),
        ("warnings", inspection => string.Join(' ', inspection.Warnings)),
        ("width", inspection => inspection.Image.Width),
        ("height", inspection => inspection.Image.Height),
        ("sha256", inspection => inspection.Image.Sha256),
        ("totalMs", inspection => inspection.TimingsMs.Total),
        ("replica", inspection => inspection.Replica),
    ];

    private readonly FolderRequest _settings;
    private readonly string _root,
        _replica;
    private readonly long _reserve;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private DateTime? _swept;

    /// <summary>Prepares to write.</summary>
    /// <param name="settings">What to write.</param>
    /// <param name="root">The folder of the sink, created when missing.</param>
    /// <param name="replica">Names the file, because each replica writes its own.</param>
    /// <param name="reserve">Bytes of the disk to leave free.</param>
    /// <param name="time">Says which days are over.</param>
    public FolderTarget(FolderRequest settings, string root, string replica, long reserve, TimeProvider time) =>
        (_settings, _root, _replica, _reserve, _time) = (settings, root, replica, reserve, time);

    public override Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken)
    {
        try
        {
            // New inspections and those that are sent again come at the same time.
            lock (_gate)
                return Task.FromResult(Write(message));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DeliveryException(e.Message, inner: e);
        }
    }

    private string Write(SinkMessage message)
    {
        var inspection = message.Inspection;
        var day = inspection.At.ToString(DayFormat, CultureInfo.InvariantCulture);
        var folder = Path.Combine(_root, day);
        Directory.CreateDirectory(folder);
        RemoveOld();
        var free = new DriveInfo(_root).AvailableFreeSpace;
        if (free < _reserve + (message.Image?.Length ?? 0))
            throw new DeliveryException($"The disk is nearly full: {free:N0} bytes are free (MinFreeBytes).");
        var image = message.Image is { } bytes ? WriteImage(folder, inspection, bytes) : null;
        var isTest = message.IsTest;
        for (var part = 1; ; part++)
        {
            var name =
                isTest ? "test"
                : part == 1 ? _replica
                : $"{_replica}.{part}";
            var path = Path.Combine(folder, $"{name}.csv");
            if (TryAppend(path, inspection, image, hasNoLimit: isTest))
                return path;
        }
    }

    /// <summary>Appends a line, unless the file is full.</summary>
    private bool TryAppend(string path, Inspection inspection, string? image, bool hasNoLimit)
    {
        using var file = new FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Read,
                BufferSize = 0,
            }
        );
        var end = FindEnd(file);
        if (!hasNoLimit && end >= _settings.MaxFileBytes)
            return false;
        var line = FormatLine(inspection, image, withHeader: end == 0);
        try
        {
            file.SetLength(end);
            file.Position = end;
            file.Write(line);
        }
        catch (IOException)
        {
            // A full disk: nothing is left of the line.
            file.SetLength(end);
            throw;
        }
        return true;
    }

    /// <summary>Gets where the last whole line ends. A process that was killed may have left half of one.</summary>
    private static long FindEnd(FileStream file)
    {
        var block = new byte[4096];
        for (var end = file.Length; end > 0; )
        {
            var start = Math.Max(0, end - block.Length);
            var read = block.AsSpan(0, (int)(end - start));
            RandomAccess.Read(file.SafeFileHandle, read, start);
            if (read.LastIndexOf((byte)'\n') is var last and >= 0)
                return start + last + 1;
            end = start;
        }
        return 0;
    }

    private static byte[] FormatLine(Inspection inspection, string? image, bool withHeader)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var csv = new CsvWriter(text, Format, leaveOpen: true))
        {
            if (withHeader)
                WriteRecord(csv, [.. Columns.Select(column => column.Name), "imageFile"]);
            WriteRecord(
                csv,
                [
                    .. Columns.Select(column => Convert.ToString(column.Get(inspection), CultureInfo.InvariantCulture)),
                    image,
                ]
            );
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void WriteRecord(CsvWriter csv, IEnumerable<string?> cells)
    {
        foreach (var cell in cells)
            csv.WriteField(cell);
        csv.NextRecord();
    }

    /// <summary>Writes an image whole before the line that names it.</summary>
    private static string WriteImage(string folder, Inspection inspection, byte[] bytes)
    {
        // Neither part can lead out of the folder: see CategoryName and PartHeaders.
        var name = $"{inspection.Category}_{inspection.Id}{GetExtension(bytes)}";
        var temporary = Path.Combine(folder, $".{Guid.NewGuid():n}.tmp");
        try
        {
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, Path.Combine(folder, name), overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        return name;
    }

    private static string GetExtension(byte[] bytes) => ImageFormats.Recognise(bytes)?.Extension() ?? ".raw";

    /// <summary>Removes the folders of days that are too old, once a day.</summary>
    private void RemoveOld()
    {
        var today = _time.GetUtcNow().UtcDateTime.Date;
        if (_settings.KeepDays is not { } days || _swept == today)
            return;
        _swept = today;
        foreach (var folder in Directory.EnumerateDirectories(_root))
            if (
                DateTime.TryParseExact(
                    Path.GetFileName(folder),
                    DayFormat,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.None,
                    out var day
                )
                && day < today.AddDays(-days)
            )
                Directory.Delete(folder, recursive: true);
    }
}
