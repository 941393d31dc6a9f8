using System.Text;

namespace PaDiM.Service.Datasets;

/// <summary>
/// Names of folders and files in an archive. Clients name images and defects freely; in an archive, what file systems
/// do not take is written as %XX, and read back.
/// </summary>
internal static class EntryName
{
    /// <summary>The folder of anomalous images without a kind of defect. Evaluations call them so too.</summary>
    public const string NoDefect = "anomalous";

    /// <summary>The folder of good parts.</summary>
    public const string Good = "good";

    /// <summary>Bytes of a name in UTF-8, below the 255 of most file systems: a mask has a suffix.</summary>
    private const int MaxBytes = 240;

    private const string Forbidden = "<>:\"/\\|?*%";

    private static readonly HashSet<string> Devices = new(
        [
            "CON",
            "PRN",
            "AUX",
            "NUL",
            .. Enumerable.Range(0, 10).Select(i => $"COM{i}"),
            .. Enumerable.Range(0, 10).Select(i => $"LPT{i}"),
        ],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Gets the folder of a kind of defect.</summary>
    public static string EncodeDefect(string? defect) =>
        string.IsNullOrEmpty(defect) ? NoDefect
        : IsFolder(defect) ? EncodeFirst(defect)
        : Encode(defect);

    /// <summary>Gets the kind of defect of a folder; null if it names none.</summary>
    public static string? DecodeDefect(string folder)
    {
        if (folder.Equals(NoDefect, StringComparison.Ordinal))
            return null;
        var decoded = Unescape(folder);
        return EncodeDefect(decoded) == folder ? decoded : folder;
    }

    /// <summary>Gets the name of a file in the archive.</summary>
    public static string Encode(string name)
    {
        var encoded = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
            if (Rune.IsControl(rune) || Forbidden.Contains(rune.ToString(), StringComparison.Ordinal))
                Escape(encoded, rune.ToString());
            else
                encoded.Append(rune);
        // Windows drops them at the end of a name, and a name of dots is a folder.
        if (encoded.Length > 0 && encoded[^1] is '.' or ' ')
        {
            var last = encoded[^1].ToString();
            encoded.Length--;
            Escape(encoded, last);
        }
        var whole = encoded.ToString();
        return Devices.Contains(whole.Split('.')[0]) ? EncodeFirst(name) : whole;
    }

    /// <summary>Gets the name that a file of an archive had; one that no export made stays as it is.</summary>
    public static string Decode(string name)
    {
        var decoded = Unescape(name);
        return Encode(decoded) == name ? decoded : name;
    }

    /// <summary>Cuts a name between two characters, so that it and its suffix are what file systems take.</summary>
    public static string Cut(string stem, string suffix)
    {
        var left = MaxBytes - Encoding.UTF8.GetByteCount(suffix);
        var kept = new StringBuilder();
        foreach (var rune in stem.EnumerateRunes())
        {
            left -= rune.Utf8SequenceLength;
            if (left < 0)
                break;
            kept.Append(rune);
        }
        return kept.ToString();
    }

    private static bool IsFolder(string defect) =>
        defect.Equals(Good, StringComparison.OrdinalIgnoreCase)
        || defect.Equals(NoDefect, StringComparison.OrdinalIgnoreCase);

    private static string EncodeFirst(string name)
    {
        var encoded = new StringBuilder();
        Escape(encoded, name[..1]);
        return encoded + Encode($"_{name[1..]}")[1..];
    }

    private static void Escape(StringBuilder encoded, string text)
    {
        foreach (var unit in Encoding.UTF8.GetBytes(text))
            encoded.Append('%').Append(unit.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
    }

    private static string Unescape(string text) =>
        text.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(text) : text;
}
