using System.Globalization;

namespace PaDiM.Engine.Files;

/// <summary>Makes text from untrusted files safe to print on a terminal.</summary>
public static class TerminalText
{
    /// <summary>
    /// Replaces every character that does not print with a question mark: control characters, line breaks, direction
    /// marks and surrogates.
    /// </summary>
    public static string Sanitise(string text) =>
        string.Concat(
            text.Select(c =>
                char.GetUnicodeCategory(c) switch
                {
                    UnicodeCategory.Control
                    or UnicodeCategory.Format
                    or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator
                    or UnicodeCategory.Surrogate => '?',
                    _ => c,
                }
            )
        );
}
