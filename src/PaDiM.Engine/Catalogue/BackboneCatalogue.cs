using System.Text.Json;
using PaDiM.Core.Models;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// Represents the networks that <c>padim backbones pull</c> can install by name, and the paper's settings for them.
/// Immutable.
/// </summary>
/// <param name="entries">The entries, in order.</param>
public sealed class BackboneCatalogue(IReadOnlyList<CatalogueEntry> entries)
{
    /// <summary>Gets the catalogue that is part of the program.</summary>
    public static BackboneCatalogue Known { get; } = new(ReadEmbedded());

    /// <summary>Gets the entries, in order.</summary>
    public IReadOnlyList<CatalogueEntry> Entries { get; } = entries;

    /// <summary>Finds the entry with a name; null if there is none.</summary>
    public CatalogueEntry? Find(string name) => Entries.FirstOrDefault(entry => entry.Name == name);

    /// <summary>
    /// Gets the paper's settings for a backbone. The dimensions come from its manifest, otherwise from the entry with
    /// its name, otherwise they are 100.
    /// </summary>
    public FitSettings GetPaperSettings(string name, BackboneManifest manifest) =>
        FitSettings.Paper with
        {
            Dimensions = manifest.Dimensions ?? Find(name)?.Dimensions ?? FitSettings.Paper.Dimensions,
        };

    /// <summary>
    /// Gets the message about a backbone that is not installed, with the command that installs it if there is one.
    /// </summary>
    public string GetMissingMessage(string name) =>
        Find(name) is null
            ? $"There is no backbone named '{name}'."
            : $"The backbone '{name}' is in the catalogue but not installed."
                + $" Install it into a backbone directory with: padim backbones pull {name}";

    private static IReadOnlyList<CatalogueEntry> ReadEmbedded()
    {
        using var stream = typeof(BackboneCatalogue).Assembly.GetManifestResourceStream("Catalogue/catalogue.json")!;
        return JsonSerializer.Deserialize(stream, CatalogueJson.Default.IReadOnlyListCatalogueEntry)!;
    }
}
