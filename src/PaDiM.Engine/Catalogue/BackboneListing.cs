using System.Collections.Concurrent;
using PaDiM.Engine.Files;

namespace PaDiM.Engine.Catalogue;

/// <summary>
/// Lists all backbones: the installed ones, then the rest of the catalogue. Hashes a file once until it changes,
/// however many callers ask at the same time. Thread-safe.
/// </summary>
/// <param name="directories">The directories of installed backbones.</param>
/// <param name="catalogue">The backbones that can be installed by name.</param>
public sealed class BackboneListing(BackboneDirectories directories, BackboneCatalogue catalogue)
{
    private readonly ConcurrentDictionary<string, HashedFile> _hashes = new(StringComparer.Ordinal);

    /// <summary>
    /// Creates the list. Reads the directories on every call. Includes backbones whose files cannot be read, with the
    /// reason.
    /// </summary>
    /// <exception cref="IOException">A directory cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to a directory is denied.</exception>
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
                : $"Its SHA-256 differs from the {manifest.Sha256} in its manifest."
                    + " The file is damaged or a different one.";
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
            // Failures are not cached: the file may be readable the next time.
            _hashes.TryRemove(KeyValuePair.Create(file.FullName, hashed));
            throw;
        }
    }

    /// <summary>Represents one state of a file. The first caller hashes it; others wait.</summary>
    private sealed class HashedFile(FileInfo file)
    {
        private readonly (DateTime At, long Length) _state = (file.LastWriteTimeUtc, file.Length);
        private readonly Lazy<string> _sha256 = new(() => FileHash.Compute(file.FullName));

        public string Sha256 => _sha256.Value;

        public bool Matches(FileInfo other) => _state == (other.LastWriteTimeUtc, other.Length);
    }
}
