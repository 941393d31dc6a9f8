using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Installs networks by name: finds the file, in a folder or by a download, checks it against the catalogue's hash, and
/// hands it to a <see cref="BackboneInstaller"/>, which checks it against the hash of the first time.
/// </summary>
/// <param name="catalogue">The names that are known.</param>
/// <param name="installer">Puts them in place.</param>
/// <param name="download">Fetches files.</param>
public sealed class BackbonePull(BackboneCatalogue catalogue, BackboneInstaller installer, FileDownload download)
{
    private const string Safetensors = ".safetensors";

    /// <summary>Where downloads lie until they are installed.</summary>
    private string DownloadFolder => Path.Combine(installer.Directory, ".downloads");

    /// <summary>Installs a network. What is in place already, byte for byte, costs no download.</summary>
    /// <param name="request">What, and from where.</param>
    /// <param name="progress">Told of every piece that has come.</param>
    /// <param name="stop">Stops; what has come of a download stays, and the next pull goes on from there.</param>
    /// <exception cref="InvalidDataException">The name is not known, or the file is damaged, or must not take the place
    /// of another, with a sentence that says why.</exception>
    /// <exception cref="IOException">The file could not be had, or a file here cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">A file here must not be read, or the directory not be written
    /// to.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<Installation> RunAsync(
        PullRequest request,
        Action<DownloadProgress> progress,
        CancellationToken stop
    )
    {
        BackboneInstaller.CheckName(request.Name);
        var entry = catalogue.Find(request.Name);
        if (entry is null && request.From is null)
            throw new InvalidDataException(
                $"The catalogue has no backbone '{request.Name}'; it has {string.Join(", ", catalogue.Entries.Select(known => known.Name))}. Say where another one lies with --from."
            );
        using var held = await installer.AcquireLockAsync(stop);
        if (!request.Force && request.From is null && FindInstalled(entry!) is { } there)
            return there;
        if (FindLocal(request, entry) is not { } file)
            return await DownloadAsync(request, entry, GetAddress(request, entry), progress, stop);
        Check(entry, file, file);
        return Install(request, entry, file, null);
    }

    /// <summary>
    /// Downloads the file and installs it. What can be refused before the download is; one that is good and cannot be
    /// installed stays for the next pull.
    /// </summary>
    private async Task<Installation> DownloadAsync(
        PullRequest request,
        CatalogueEntry? entry,
        Uri address,
        Action<DownloadProgress> progress,
        CancellationToken stop
    )
    {
        if (
            IsPinned(entry, address.LocalPath)
            && !request.Force
            && installer.FindHash(request.Name, BackboneInstaller.IsOnnx(address.LocalPath)) is { } old
            && !entry!.Accepts(old)
        )
            throw new InvalidDataException(
                $"There is a backbone '{request.Name}' that was not made of the catalogue's file. Replace it with --force, or move it away."
            );
        try
        {
            var file = await download.FetchAsync(
                address,
                DownloadFolder,
                request.From is null ? entry!.SizeBytes : null,
                progress,
                stop
            );
            try
            {
                Check(entry, file, DownloadState.WithoutQuery(address));
            }
            catch (InvalidDataException)
            {
                // The next pull begins anew.
                FileDownload.Remove(file);
                throw;
            }
            var done = Install(request, entry, file, address);
            FileDownload.Remove(file);
            return done;
        }
        finally
        {
            if (Directory.Exists(DownloadFolder) && !Directory.EnumerateFileSystemEntries(DownloadFolder).Any())
                Directory.Delete(DownloadFolder);
        }
    }

    /// <summary>The backbone as it is in place, if that is what would be pulled.</summary>
    private Installation? FindInstalled(CatalogueEntry entry)
    {
        if (installer.FindRecord(entry.Name) is not { } record || !installer.IsIntact(entry.Name, record))
            return null;
        // Of an origin that is an ONNX file the hash is that of the backbone.
        return entry.Accepts(record.WeightsSha256 ?? record.Sha256!)
            ? new Installation(installer.GetFile(entry.Name), record, Changed: false)
            : throw new InvalidDataException(
                $"There is a backbone '{entry.Name}' in {installer.Directory} that was not made of the catalogue's file. Replace it with --force, or move it away."
            );
    }

    private static string? FindLocal(PullRequest request, CatalogueEntry? entry) =>
        request.From switch
        {
            null
                when request.Folder is { } folder
                    && Path.Combine(folder, GetFileName(entry!.Origin)) is var downloaded
                    && File.Exists(downloaded) => downloaded,
            { } from when !IsAddress(from) => File.Exists(from)
                ? from
                : FindInFolder(from, request.Name, entry)
                    ?? throw new FileNotFoundException(
                        $"There is neither a file {from} nor one for '{request.Name}' in a folder of that name."
                    ),
            _ => null,
        };

    /// <summary>The file of a network in a folder: under the origin's name, or its own.</summary>
    private static string? FindInFolder(string folder, string name, CatalogueEntry? entry)
    {
        string[] names = [$"{name}.onnx", $"{name}.pth", $"{name}{Safetensors}"];
        return (entry is null ? names : [GetFileName(entry.Origin), .. names])
            .Select(file => Path.Combine(folder, file))
            .FirstOrDefault(File.Exists);
    }

    private static Uri GetAddress(PullRequest request, CatalogueEntry? entry)
    {
        if (request.Offline)
            throw new InvalidDataException(
                $"Nothing may be downloaded, and {(request.Folder is { } folder ? $"{folder} does not hold" : "no folder was named that holds")} {(entry is null ? "a file" : GetFileName(entry.Origin))} for '{request.Name}'."
            );
        var mirrored = request.From is null && request.Mirror is not null;
        var address =
            mirrored ? new Uri($"{request.Mirror!.ToString().TrimEnd('/')}{entry!.Origin.AbsolutePath}")
            : request.From is null ? entry!.Origin
            : Uri.TryCreate(request.From, UriKind.Absolute, out var given) ? given
            : throw new InvalidDataException($"{request.From} is no address.");
        if (address.UserInfo.Length > 0)
            throw new InvalidDataException(
                "An address with a user name or a password in it is not taken: it would be shown, and kept in the manifest."
            );
        // A few digits of a hash tell a damaged file from a whole one, not a forged one from the right one.
        if (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback && !(mirrored && entry!.Sha256 is not null))
            throw new InvalidDataException(
                $"{DownloadState.WithoutQuery(address)} is not https; only this machine itself may be asked without, and a mirror for files whose whole SHA-256 the catalogue has."
            );
        return GetFileName(address).Length > 0
            ? address
            : throw new InvalidDataException($"{DownloadState.WithoutQuery(address)} names no file.");
    }

    private static bool IsAddress(string from) =>
        from.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || from.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static string GetFileName(Uri address) => Path.GetFileName(address.LocalPath);

    /// <summary>
    /// Whether a file must have the catalogue's hash. An ONNX file in place of weights has one of its own, which holds
    /// from the first time on.
    /// </summary>
    /// <exception cref="InvalidDataException">No backbone can be made of it, or not under this name.</exception>
    private static bool IsPinned(CatalogueEntry? entry, string path)
    {
        var isOnnx = BackboneInstaller.IsOnnx(path);
        if (entry is null)
            return false;
        if (IsSafetensors(path) && !IsSafetensors(entry.Origin.LocalPath))
            throw new InvalidDataException(
                $"{path} cannot be compared with the catalogue's {GetFileName(entry.Origin)}, by which '{entry.Name}' is known. Install it under a name of its own: padim backbones add FILE --name NAME."
            );
        return !isOnnx || BackboneInstaller.IsOnnx(entry.Origin.LocalPath);
    }

    private static bool IsSafetensors(string path) =>
        Path.GetExtension(path).Equals(Safetensors, StringComparison.OrdinalIgnoreCase);

    /// <summary>Checks a file against the catalogue.</summary>
    /// <param name="entry">What the catalogue knows of it.</param>
    /// <param name="file">The file.</param>
    /// <param name="place">Where it comes from, as it may be shown.</param>
    /// <exception cref="InvalidDataException">It is another one.</exception>
    private static void Check(CatalogueEntry? entry, string file, string place)
    {
        if (IsPinned(entry, file) && FileHash.Compute(file) is var hash && !entry!.Accepts(hash))
            throw new InvalidDataException(
                $"{place} is damaged or another file: its SHA-256 is {hash}; that of the catalogue {(entry.Sha256 is { } whole ? $"is {whole}" : $"begins with {entry.Sha256Prefix}")}. Other weights of the same network are installed under a name of their own: padim backbones add FILE --name NAME."
            );
    }

    /// <summary>Installs a file that has been checked.</summary>
    /// <param name="request">What is pulled.</param>
    /// <param name="entry">What the catalogue knows of it.</param>
    /// <param name="file">The file.</param>
    /// <param name="address">Where it was downloaded from; null for a file of the user's.</param>
    private Installation Install(PullRequest request, CatalogueEntry? entry, string file, Uri? address)
    {
        var pinned = IsPinned(entry, file);
        return installer.Install(
            new InstallRequest(request.Name, file)
            {
                Architecture = entry?.Architecture,
                Origin =
                    pinned ? entry!.Origin.ToString()
                    : address is null ? null
                    : DownloadState.WithoutQuery(address),
                Licence = pinned ? entry!.Licence : null,
                Force = request.Force,
            }
        );
    }
}
