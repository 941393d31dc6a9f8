using System.IO.Compression;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Datasets;

/// <summary>
/// The layout of MVTec AD: <c>train/good</c>, <c>test/good</c>, <c>test/DEFECT</c> and
/// <c>ground_truth/DEFECT/NAME_mask.png</c>, with a folder above them or without. Names of entries sort images; they
/// are never paths.
/// </summary>
internal static class DatasetLayout
{
    public const string Train = "train",
        Test = "test",
        GroundTruth = "ground_truth";

    private const int FileType = 0xF000,
        Regular = 0x8000;

    /// <summary>Gets what an entry is in the layout.</summary>
    public static LaidOut Classify(ZipArchiveEntry entry)
    {
        if (entry.FullName.EndsWith('/') && entry.Length == 0)
            return LaidOut.Nothing;
        if (Validate(entry) is { } fault)
            return new LaidOut(EntryKind.Refused) { Fault = fault };
        var segments = entry.FullName.Split('/');
        // What macOS and Windows add to archives and folders.
        if (
            segments.Contains("__MACOSX", StringComparer.Ordinal)
            || segments[^1].StartsWith("._", StringComparison.Ordinal)
        )
            return LaidOut.Nothing;
        if (segments.Length >= 3)
        {
            var (folder, file) = (segments[^2], segments[^1]);
            var place = new LaidOut(EntryKind.Nothing)
            {
                Top = string.Join('/', segments[..^3]),
                FileName = ImageRequest.CleanName(EntryName.Decode(file)),
                Stem = Path.GetFileNameWithoutExtension(file),
                Folder = folder,
            };
            switch (segments[^3])
            {
                case Train when folder == EntryName.Good:
                    return place with { Kind = EntryKind.Image, Settings = new ImageSettings() };
                case Test when folder == EntryName.Good:
                    return place with
                    {
                        Kind = EntryKind.Image,
                        Settings = new ImageSettings { HeldOut = true },
                    };
                case Test:
                    var settings = new ImageSettings
                    {
                        Label = ImageLabel.Anomalous,
                        Defect = EntryName.DecodeDefect(folder),
                    };
                    return ImageChange.CheckDefect(settings.Defect, settings.Label) is { } problem
                        ? new LaidOut(EntryKind.Refused) { Fault = Problems.InvalidEntry(problem.Detail) }
                        : place with
                        {
                            Kind = EntryKind.Image,
                            Settings = settings,
                        };
                case GroundTruth when folder != EntryName.Good:
                    return place with { Kind = EntryKind.Mask };
            }
        }
        return ImageFormats.HasImageExtension(segments[^1])
            ? new LaidOut(EntryKind.Refused)
            {
                Fault = Problems.InvalidEntry(
                    "Images are read from train/good, test/good and test/DEFECT, and masks from ground_truth/DEFECT."
                ),
            }
            : LaidOut.Nothing;
    }

    /// <summary>Gets the problem with an entry that is not read, whatever it holds; or null.</summary>
    private static Problem? Validate(ZipArchiveEntry entry)
    {
        var name = entry.FullName;
        var type = (entry.ExternalAttributes >> 16) & FileType;
        return name.Any(char.IsControl) ? Problems.InvalidEntry("The name has control characters.")
            : name.Contains('\\', StringComparison.Ordinal) || name.Contains("//", StringComparison.Ordinal)
                ? Problems.InvalidEntry("The name has other separators than single slashes.")
            : name.StartsWith('/') || (name.Length > 1 && name[1] == ':' && char.IsAsciiLetter(name[0]))
                ? Problems.InvalidEntry("The name begins at the root of a disk.")
            : name.Split('/').Any(segment => segment is "." or "..")
                ? Problems.InvalidEntry("The name leads out of the archive or is not its shortest.")
            : name.EndsWith('/') ? Problems.InvalidEntry("The entry is a folder and has content.")
            : type is not (0 or Regular) ? Problems.InvalidEntry("The entry is a link or another special file.")
            : entry.IsEncrypted ? Problems.InvalidEntry("The entry is encrypted; send the archive without a password.")
            : null;
    }
}

/// <summary>What an entry of an archive is.</summary>
internal enum EntryKind
{
    /// <summary>Nothing to read, such as a folder or a licence.</summary>
    Nothing,

    /// <summary>An image.</summary>
    Image,

    /// <summary>A mask.</summary>
    Mask,

    /// <summary>An entry that is not read.</summary>
    Refused,
}

/// <summary>The place of an entry in the layout.</summary>
/// <param name="Kind">What it is.</param>
internal sealed record LaidOut(EntryKind Kind)
{
    public static LaidOut Nothing { get; } = new(EntryKind.Nothing);

    /// <summary>Gets the folders above the layout, empty for none.</summary>
    public string Top { get; init; } = "";

    /// <summary>Gets the folder: good, or a kind of defect as the archive writes it.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Gets the name without its extension.</summary>
    public string Stem { get; init; } = "";

    /// <summary>Gets the file name of the image; data only.</summary>
    public string FileName { get; init; } = "";

    /// <summary>Gets what the place says about the image.</summary>
    public ImageSettings Settings { get; init; } = new();

    /// <summary>Gets why the entry is not read.</summary>
    public Problem? Fault { get; init; }
}
