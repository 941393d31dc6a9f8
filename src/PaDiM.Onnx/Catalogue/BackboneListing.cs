using System.Collections.Concurrent;
using PaDiM.Onnx.Architectures;
using PaDiM.Onnx.Backbones;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Catalogue;

/// <summary>All backbones that there are: those in the directories, then those that the catalogue has besides. Thread-safe; a file is hashed once, until it changes.</summary>
/// <param name="registry">The directories.</param>
/// <param name="catalogue">The catalogue.</param>
public sealed class BackboneListing(BackboneRegistry registry, BackboneCatalogue catalogue)
{
    private readonly ConcurrentDictionary<(string Path, DateTime At, long Length), string> hashes = new();

    /// <summary>The list. Reads the directories anew.</summary>
    public IReadOnlyList<ListedBackbone> List()
    {
        ListedBackbone[] installed = [.. registry.List().Select(Describe)];
        return [.. installed, .. catalogue.Entries.Where(entry => Array.TrueForAll(installed, backbone => backbone.Name != entry.Name)).Select(Describe)];
    }

    private ListedBackbone Describe(BackboneFile file)
    {
        var state = file.IsBuiltIn ? BackboneState.BuiltIn : BackboneState.Installed;
        try
        {
            var manifest = file.ReadManifest();
            var info = new FileInfo(file.Path);
            return new ListedBackbone(
                file.Name, state, catalogue.Find(file.Name)?.Description, manifest.Architecture, manifest.Taps ?? [], catalogue.PaperSettings(file.Name, manifest).Dimensions,
                manifest.Origin, manifest.Licence, info.Length, HashOf(info), manifest.WeightsSha256, null);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new ListedBackbone(file.Name, state, null, null, [], catalogue.PaperSettings(file.Name, new BackboneManifest()).Dimensions, null, null, null, null, null, e.Message);
        }
    }

    private static ListedBackbone Describe(CatalogueEntry entry) => new(
        entry.Name, BackboneState.Available, entry.Description, entry.Architecture, entry.Architecture is { } architecture ? BackboneArchitecture.Taps(architecture) : [],
        entry.Dimensions, entry.Origin.ToString(), entry.Licence, entry.SizeBytes, null, entry.Sha256, null);

    private string HashOf(FileInfo file) => hashes.GetOrAdd((file.FullName, file.LastWriteTimeUtc, file.Length), static key => FileHash.Of(key.Path));
}
