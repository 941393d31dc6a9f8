using System.Collections.Concurrent;
using PaDiM.Engine.Files;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// All backbones that there are: those in the directories, then those that the catalogue has besides. Thread-safe; a
/// file is hashed once, however many ask at a time, until it changes.
/// </summary>
/// <param name="directories">The directories.</param>
/// <param name="catalogue">The catalogue.</param>
public sealed class BackboneListing(BackboneDirectories directories, BackboneCatalogue catalogue)
{
    private readonly ConcurrentDictionary<string, HashedFile> _hashes = new(StringComparer.Ordinal);

    /// <summary>
    /// The list. Reads the directories anew. A backbone whose files cannot be read is in it, with the reason.
    /// </summary>
    /// <exception cref="IOException">A directory cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A directory must not be read.</exception>
    public IReadOnlyList<ListedBackbone> List()
    {
        ListedBackbone[] installed = [.. directories.List().Select(ToListed)];
        return
        [
            .. installed,
            .. catalogue
                .Entries.Where(entry => Array.TrueForAll(installed, backbone => backbone.Name != entry.Name))
                .Select(ToListed),
        ];
    }

    private ListedBackbone ToListed(BackboneFile file)
    {
        var state = file.IsBuiltIn ? BackboneState.BuiltIn : BackboneState.Installed;
        try
        {
            var manifest = file.ReadManifest();
            var info = new FileInfo(file.Path);
            var hash = GetHash(info);
            var fault = manifest.Accepts(hash)
                ? null
                : $"Its SHA-256 is not the {manifest.Sha256} of its manifest; the file is damaged or another one.";
            return new ListedBackbone(
                file.Name,
                state,
                catalogue.Find(file.Name)?.Description,
                manifest.Architecture,
                manifest.Taps ?? [],
                catalogue.GetPaperSettings(file.Name, manifest).Dimensions,
                manifest.Origin,
                manifest.Licence,
                info.Length,
                hash,
                manifest.WeightsSha256,
                fault
            );
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new ListedBackbone(
                file.Name,
                state,
                null,
                null,
                [],
                catalogue.GetPaperSettings(file.Name, new BackboneManifest()).Dimensions,
                null,
                null,
                null,
                null,
                null,
                e.Message
            );
        }
    }

    private static ListedBackbone ToListed(CatalogueEntry entry) =>
        new(
            entry.Name,
            BackboneState.Available,
            entry.Description,
            entry.Architecture,
            entry.Taps,
            entry.Dimensions,
            entry.Origin.ToString(),
            entry.Licence,
            entry.SizeBytes,
            null,
            entry.Sha256,
            null
        );

    private string GetHash(FileInfo file)
    {
        var hashed = _hashes.AddOrUpdate(
            file.FullName,
            _ => new HashedFile(file),
            (_, known) => known.Matches(file) ? known : new HashedFile(file)
        );
        try
        {
            return hashed.Sha256;
        }
        catch
        {
            // A failure is not kept: the file may be readable the next time.
            _hashes.TryRemove(KeyValuePair.Create(file.FullName, hashed));
            throw;
        }
    }

    /// <summary>A file as it was at some time. Hashed by the first who asks; the others wait.</summary>
    private sealed class HashedFile(FileInfo file)
    {
        private readonly (DateTime At, long Length) _state = (file.LastWriteTimeUtc, file.Length);
        private readonly Lazy<string> _sha256 = new(() => FileHash.Compute(file.FullName));

        public string Sha256 => _sha256.Value;

        public bool Matches(FileInfo other) => _state == (other.LastWriteTimeUtc, other.Length);
    }
}
