using System.Globalization;

namespace PaDiM.Engine.Files;

/// <summary>Text from a file of anyone's, as it may be written to a terminal.</summary>
public static class TerminalText
{
    /// <summary>
    /// The text with a question mark for every character that does not show: controls, line breaks, marks of direction,
    /// surrogates.
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
