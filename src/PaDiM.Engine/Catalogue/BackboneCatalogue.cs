using System.Text.Json;
using PaDiM.Core.Models;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// The networks that <c>padim backbones pull</c> knows by name, and the paper's settings for them. Immutable.
/// </summary>
/// <param name="entries">Its entries, in order.</param>
public sealed class BackboneCatalogue(IReadOnlyList<CatalogueEntry> entries)
{
    /// <summary>The one that comes with the program.</summary>
    public static BackboneCatalogue Known { get; } = new(ReadEmbedded());

    /// <summary>Its entries, in order.</summary>
    public IReadOnlyList<CatalogueEntry> Entries { get; } = entries;

    /// <summary>The entry of a name, or null.</summary>
    public CatalogueEntry? Find(string name) => Entries.FirstOrDefault(entry => entry.Name == name);

    /// <summary>
    /// The paper's settings for a backbone: its dimensions are those of its manifest, else those of the catalogue under
    /// its name, else 100.
    /// </summary>
    public FitSettings GetPaperSettings(string name, BackboneManifest manifest) =>
        FitSettings.Paper with
        {
            Dimensions = manifest.Dimensions ?? Find(name)?.Dimensions ?? FitSettings.Paper.Dimensions,
        };

    /// <summary>
    /// A sentence about a backbone that no directory holds: its name, and how it is installed where that can be done by
    /// its name.
    /// </summary>
    public string GetMissingMessage(string name) =>
        Find(name) is null
            ? $"There is no backbone named '{name}'."
            : $"The backbone '{name}' is in the catalogue but not installed. Install it into a folder that is searched, with: padim backbones pull {name}";

    private static IReadOnlyList<CatalogueEntry> ReadEmbedded()
    {
        using var stream = typeof(BackboneCatalogue).Assembly.GetManifestResourceStream("Catalogue/catalogue.json")!;
        return JsonSerializer.Deserialize(stream, CatalogueJson.Default.IReadOnlyListCatalogueEntry)!;
    }
}
