using System.Globalization;
using PaDiM.Service.Http;

namespace PaDiM.Service.Models;

/// <summary>Versions as clients of foreign protocols name them: by number, or with a name for the active one.</summary>
internal static class VersionName
{
    /// <summary>Gets the version that a client names.</summary>
    /// <param name="category">The category.</param>
    /// <param name="text">What the client sends.</param>
    /// <param name="active">The name of the active version.</param>
    /// <returns>The version; null for the active one. A text that is neither names no version that there is.</returns>
    public static Outcome<int?> Parse(string category, string text, string active) =>
        text == active ? (int?)null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : Problems.ModelNotFound(category, text);
}
