namespace PaDiM.Client;

/// <summary>
/// Files that fit into one request: not too many, of one kind of pixels, and with masks that find theirs.
/// </summary>
internal sealed class UploadBatch
{
    private const int MostFiles = 64;

    private const long MostBytes = 64 << 20,
        UnknownBytes = 8 << 20;

    private readonly List<ImageSource> _files = [];
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private long _bytes;
    private bool _hasMasks;

    public IReadOnlyList<ImageSource> Files => _files;

    public RawFrame? Frame => _files.Count > 0 ? _files[0].Frame : null;

    public bool CanSendAgain => _files.TrueForAll(file => file.CanSendAgain && file.Mask?.CanSendAgain is not false);

    /// <summary>Adds a file; false if it needs a request of its own or the next one.</summary>
    public bool TryAdd(ImageSource file)
    {
        var bytes = (file.Length ?? UnknownBytes) + (file.Mask is { } mask ? mask.Length ?? UnknownBytes : 0);
        var hasMasks = _hasMasks || file.Mask is not null;
        if (
            _files.Count > 0
            && (
                _files.Count == MostFiles
                || _bytes + bytes > MostBytes
                || !HaveSamePixels(file.Frame, Frame)
                || (hasMasks && _names.Contains(Path.GetFileNameWithoutExtension(file.FileName)))
            )
        )
            return false;
        _files.Add(file);
        _names.Add(Path.GetFileNameWithoutExtension(file.FileName));
        _bytes += bytes;
        _hasMasks = hasMasks;
        return true;
    }

    /// <summary>Creates the form. The service finds the image of a mask by its name.</summary>
    public MultipartFormDataContent CreateForm()
    {
        var form = new MultipartFormDataContent();
        foreach (var file in _files)
        {
            form.Add(SourceContent.CreatePart(file, "files", file.FileName));
            if (file.Mask is { } mask)
                form.Add(
                    SourceContent.CreatePart(
                        mask,
                        "masks",
                        $"{Path.GetFileNameWithoutExtension(file.FileName)}_mask{Path.GetExtension(mask.FileName)}"
                    )
                );
        }
        return form;
    }

    /// <summary>Gets whether two images may be in one request.</summary>
    public static bool HaveSamePixels(RawFrame? one, RawFrame? other) =>
        (one?.Width, one?.Height, one?.Format) == (other?.Width, other?.Height, other?.Format);
}
