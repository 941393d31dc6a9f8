using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Catalogue;

/// <summary>
/// Installs networks by name: finds the file, in a folder or by a download, checks it against the catalogue's hash, and hands it to a <see cref="BackboneInstaller"/>, which checks it
/// against the hash of the first time.
/// </summary>
/// <param name="catalogue">The names that are known.</param>
/// <param name="installer">Puts them in place.</param>
/// <param name="download">Fetches files.</param>
public sealed class BackbonePull(BackboneCatalogue catalogue, BackboneInstaller installer, FileDownload download)
{
    /// <summary>Where downloads lie until they are installed.</summary>
    private string Downloads => Path.Combine(installer.Directory, ".downloads");

    /// <summary>Installs a network. What is in place already, byte for byte, costs no download.</summary>
    /// <param name="request">What, and from where.</param>
    /// <param name="progress">Told of every piece that has come.</param>
    /// <param name="stop">Stops; what has come of a download stays, and the next pull goes on from there.</param>
    /// <exception cref="InvalidDataException">The name is not known, or the file is damaged, or must not take the place of another, with a sentence that says why.</exception>
    /// <exception cref="IOException">The file could not be had.</exception>
    public async Task<Installation> RunAsync(PullRequest request, Action<DownloadProgress> progress, CancellationToken stop)
    {
        BackboneInstaller.CheckName(request.Name);
        var entry = catalogue.Find(request.Name);
        if (entry is null && request.From is null)
            throw new InvalidDataException($"The catalogue has no backbone '{request.Name}'; it has {string.Join(", ", catalogue.Entries.Select(known => known.Name))}. Say where another one lies with --from.");
        using var held = await installer.LockAsync(stop);
        if (!request.Force && request.From is null && FindInstalled(entry!) is { } there) return there;
        if (FindLocal(request, entry) is { } file) return Install(request, entry, file, null);
        var address = AddressOf(request, entry);
        var fetched = await download.FetchAsync(address, Downloads, request.From is null ? entry!.SizeBytes : null, progress, stop);
        try
        {
            return Install(request, entry, fetched, address);
        }
        finally
        {
            // Whether it is in its place or damaged: the next pull begins anew.
            File.Delete(fetched);
            if (!Directory.EnumerateFileSystemEntries(Downloads).Any()) Directory.Delete(Downloads);
        }
    }

    /// <summary>The backbone as it is in place, if that is what would be pulled.</summary>
    private Installation? FindInstalled(CatalogueEntry entry)
    {
        if (installer.FindRecord(entry.Name) is not { } record || !installer.IsIntact(entry.Name, record)) return null;
        // Of an origin that is an ONNX file the hash is that of the backbone.
        return entry.Accepts(record.WeightsSha256 ?? record.Sha256!)
            ? new Installation(installer.FileOf(entry.Name), record, Changed: false)
            : throw new InvalidDataException($"There is a backbone '{entry.Name}' in {installer.Directory} that was not made of the catalogue's file. Replace it with --force, or move it away.");
    }

    private static string? FindLocal(PullRequest request, CatalogueEntry? entry) => request.From switch
    {
        null when request.Folder is { } folder && Path.Combine(folder, FileNameOf(entry!.Origin)) is var downloaded && File.Exists(downloaded) => downloaded,
        { } from when !IsAddress(from) => File.Exists(from) ? from : FindIn(from, request.Name, entry) ?? throw new FileNotFoundException($"There is neither a file {from} nor one for '{request.Name}' in a folder of that name."),
        _ => null,
    };

    /// <summary>The file of a network in a folder: under the origin's name, or its own.</summary>
    private static string? FindIn(string folder, string name, CatalogueEntry? entry)
    {
        string[] names = [$"{name}.onnx", $"{name}.safetensors", $"{name}.pth"];
        return (entry is null ? names : [FileNameOf(entry.Origin), .. names]).Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    private static Uri AddressOf(PullRequest request, CatalogueEntry? entry)
    {
        if (request.Offline)
            throw new InvalidDataException($"Nothing may be downloaded, and {(request.Folder is { } folder ? $"{folder} does not hold" : "no folder was named that holds")} {(entry is null ? "a file" : FileNameOf(entry.Origin))} for '{request.Name}'.");
        var mirrored = request.From is null && request.Mirror is not null;
        var address = mirrored ? new Uri($"{request.Mirror!.ToString().TrimEnd('/')}{entry!.Origin.AbsolutePath}") : request.From is null ? entry!.Origin
            : Uri.TryCreate(request.From, UriKind.Absolute, out var given) ? given : throw new InvalidDataException($"{request.From} is no address.");
        if (address.UserInfo.Length > 0) throw new InvalidDataException("An address with a user name or a password in it is not taken: it would be shown, and kept in the manifest.");
        if (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback && !mirrored) throw new InvalidDataException($"{DownloadState.NameOf(address)} is not https; only a mirror, or this machine itself, may be asked without.");
        return FileNameOf(address).Length > 0 ? address : throw new InvalidDataException($"{DownloadState.NameOf(address)} names no file.");
    }

    private static bool IsAddress(string from) => from.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || from.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static string FileNameOf(Uri address) => Path.GetFileName(address.LocalPath);

    /// <summary>Checks the file against the catalogue, and installs it.</summary>
    /// <param name="request">What is pulled.</param>
    /// <param name="entry">What the catalogue knows of it.</param>
    /// <param name="file">The file.</param>
    /// <param name="address">Where it was downloaded from; null for a file of the user's.</param>
    private Installation Install(PullRequest request, CatalogueEntry? entry, string file, Uri? address)
    {
        // A file in another format than the origin's, an ONNX file in place of weights, has a hash of its own: it holds from the first time on.
        var ofOrigin = entry is not null && Path.GetExtension(file).Equals(Path.GetExtension(entry.Origin.LocalPath), StringComparison.OrdinalIgnoreCase);
        if (ofOrigin && FileHash.Of(file) is var hash && !entry!.Accepts(hash))
            throw new InvalidDataException($"{(address is null ? file : DownloadState.NameOf(address))} is damaged or another file: its SHA-256 is {hash}; that of the catalogue {(entry.Sha256 is { } whole ? $"is {whole}" : $"begins with {entry.Sha256Prefix}")}.");
        return installer.Install(new InstallRequest(request.Name, file)
        {
            Architecture = entry?.Architecture,
            Origin = ofOrigin ? entry!.Origin.ToString() : address is null ? null : DownloadState.NameOf(address),
            Licence = ofOrigin ? entry!.Licence : null,
            Force = request.Force,
        });
    }
}
