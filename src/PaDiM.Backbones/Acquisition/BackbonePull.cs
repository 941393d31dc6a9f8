using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Installs networks by name: finds the file in a folder or downloads it, checks it against the catalogue's hash, and
/// passes it to a <see cref="BackboneInstaller"/>, which checks it against the hash of the first installation.
/// </summary>
/// <param name="catalogue">The known networks.</param>
/// <param name="installer">Installs them.</param>
/// <param name="download">Downloads files.</param>
public sealed class BackbonePull(BackboneCatalogue catalogue, BackboneInstaller installer, FileDownload download)
{
    private const string Safetensors = ".safetensors";

    /// <summary>Gets the folder for downloads until they are installed.</summary>
    private string DownloadFolder => Path.Combine(installer.Directory, ".downloads");

    /// <summary>Installs a network. Nothing is downloaded if the same bytes are already installed.</summary>
    /// <param name="request">The network and its source.</param>
    /// <param name="progress">Receives every downloaded piece.</param>
    /// <param name="stop">Cancels. A partial download is kept, and the next pull resumes it.</param>
    /// <exception cref="InvalidDataException">The name is unknown, or the file is damaged or must not replace another
    /// one; the message says why.</exception>
    /// <exception cref="IOException">The file cannot be downloaded, or a local file cannot be read or
    /// written.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to a local file or the directory is denied.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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
                $"The catalogue has no backbone '{request.Name}'; it has "
                    + $"{string.Join(", ", catalogue.Entries.Select(known => known.Name))}. "
                    + "Set the source of another one with --from."
            );
        using var held = await installer.AcquireLockAsync(stop);
        if (!request.Force && request.From is null && FindInstalled(entry!) is { } installed)
            return installed;
        if (FindLocal(request, entry) is not { } file)
            return await DownloadAsync(request, entry, GetAddress(request, entry), progress, stop);
        Check(entry, file, file);
        return Install(request, entry, file, null);
    }

    /// <summary>
    /// Downloads the file and installs it. Everything that can be refused is refused before the download. A good file
    /// that cannot be installed is kept for the next pull.
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
                $"There is a backbone '{request.Name}' that was not created from the catalogue's file. "
                    + "Replace it with --force, or move it away."
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
                // The next pull starts over.
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

    /// <summary>Finds the installed backbone, if it is the one to pull.</summary>
    private Installation? FindInstalled(CatalogueEntry entry)
    {
        if (installer.FindRecord(entry.Name) is not { } record || !installer.IsIntact(entry.Name, record))
            return null;
        // If the origin is an ONNX file, its hash is the hash of the backbone.
        return entry.Accepts(record.WeightsSha256 ?? record.SourceSha256 ?? record.Sha256!)
            ? new Installation(installer.GetFile(entry.Name), record, Changed: false)
            : throw new InvalidDataException(
                $"There is a backbone '{entry.Name}' in {installer.Directory} that was not created from the "
                    + "catalogue's file. Replace it with --force, or move it away."
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
                        $"There is no file {from}, and no file for '{request.Name}' in a folder of that name."
                    ),
            _ => null,
        };

    /// <summary>Finds the file of a network in a folder, under the origin's file name or its own name.</summary>
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
        {
            var missing = entry is null ? "a file" : GetFileName(entry.Origin);
            throw new InvalidDataException(
                request.Folder is { } folder
                    ? $"Downloads are off, and {folder} does not contain {missing} for '{request.Name}'."
                    : $"Downloads are off, and no folder with {missing} for '{request.Name}' was given."
            );
        }
        var mirrored = request.From is null && request.Mirror is not null;
        var address =
            mirrored ? new Uri($"{request.Mirror!.ToString().TrimEnd('/')}{entry!.Origin.AbsolutePath}")
            : request.From is null ? entry!.Origin
            : Uri.TryCreate(request.From, UriKind.Absolute, out var given) ? given
            : throw new InvalidDataException($"{request.From} is not a valid URL.");
        if (address.UserInfo.Length > 0)
            throw new InvalidDataException(
                "A URL with a user name or password is not accepted: it would be shown and recorded in the manifest."
            );
        // The first digits of a hash detect a damaged file, but not a forged one.
        if (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback && !(mirrored && entry!.Sha256 is not null))
            throw new InvalidDataException(
                $"{DownloadState.WithoutQuery(address)} is not https. Plain http is allowed only for this machine, "
                    + "and for a mirror of files whose full SHA-256 is in the catalogue."
            );
        return GetFileName(address).Length > 0
            ? address
            : throw new InvalidDataException($"{DownloadState.WithoutQuery(address)} does not end in a file name.");
    }

    private static bool IsAddress(string from) =>
        from.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || from.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static string GetFileName(Uri address) => Path.GetFileName(address.LocalPath);

    /// <summary>
    /// Gets whether a file must have the catalogue's hash. An ONNX file in place of weights has its own hash, which is
    /// pinned at its first installation.
    /// </summary>
    /// <exception cref="InvalidDataException">It cannot become a backbone, or not under this name.</exception>
    private static bool IsPinned(CatalogueEntry? entry, string path)
    {
        var isOnnx = BackboneInstaller.IsOnnx(path);
        if (entry is null)
            return false;
        if (IsSafetensors(path) && !IsSafetensors(entry.Origin.LocalPath))
            throw new InvalidDataException(
                $"{path} cannot be compared with {GetFileName(entry.Origin)}, the catalogue's file for '{entry.Name}'. "
                    + "Install it under another name: padim backbones add FILE --name NAME."
            );
        return !isOnnx || BackboneInstaller.IsOnnx(entry.Origin.LocalPath);
    }

    private static bool IsSafetensors(string path) =>
        Path.GetExtension(path).Equals(Safetensors, StringComparison.OrdinalIgnoreCase);

    /// <summary>Checks a file against the catalogue.</summary>
    /// <param name="entry">Its catalogue entry.</param>
    /// <param name="file">The file.</param>
    /// <param name="source">Its source for messages.</param>
    /// <exception cref="InvalidDataException">It is another file.</exception>
    private static void Check(CatalogueEntry? entry, string file, string source)
    {
        if (IsPinned(entry, file) && FileHash.Compute(file) is var hash && !entry!.Accepts(hash))
        {
            var expected = entry.Sha256 is { } full
                ? $"expects {full}"
                : $"expects one that starts with {entry.Sha256Prefix}";
            throw new InvalidDataException(
                $"{source} is damaged or another file: its SHA-256 is {hash}, but the catalogue {expected}. Install "
                    + "other weights of the same network under another name: padim backbones add FILE --name NAME."
            );
        }
    }

    /// <summary>Installs a checked file.</summary>
    /// <param name="request">The request.</param>
    /// <param name="entry">Its catalogue entry.</param>
    /// <param name="file">The file.</param>
    /// <param name="address">The URL it was downloaded from; null for a local file.</param>
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
