using System.Text.RegularExpressions;
using PaDiM.Backbones.Architectures;
using PaDiM.Backbones.Sizes;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Installs backbones in a directory: <c>NAME.onnx</c>, which is opened and run once first, and <c>NAME.json</c>, which
/// records its hash, the hash of its weights, and their origin. The hashes are pinned from then on: a model identifies
/// its backbone by its bytes, so other bytes require <see cref="InstallRequest.Force"/>.
/// </summary>
/// <param name="directories">The directories of a <see cref="BackboneRegistry"/>, at least one, in order. Backbones are
/// installed in the first one, which is created if it does not exist.</param>
/// <param name="catalogue">Supplies the paper's dimensions for the manifests of its networks.</param>
/// <param name="runtime">Runs a network once, to check that it is one.</param>
/// <param name="time">Supplies the installation time for manifests.</param>
public sealed partial class BackboneInstaller(
    IReadOnlyList<string> directories,
    BackboneCatalogue catalogue,
    BackboneRuntime runtime,
    TimeProvider time
)
{
    /// <summary>Gets the directory to install in.</summary>
    public string Directory => directories[0];

    /// <summary>Installs a file.</summary>
    /// <exception cref="InvalidDataException">The file cannot be used, or must not replace another one; the message
    /// says why. Nothing has changed.</exception>
    /// <exception cref="IOException">A file cannot be read or written. Nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to a file or the directory is denied. Nothing has
    /// changed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled while another process was changing the
    /// directory.</exception>
    public async Task<Installation> AddAsync(InstallRequest request, CancellationToken stop)
    {
        using var held = await AcquireLockAsync(stop);
        return Install(request);
    }

    /// <summary>
    /// Installs a network that was created from another backbone. It may have the name of a built-in one.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="onnx">Its ONNX file.</param>
    /// <param name="manifest">Its manifest, with the hash of that file.</param>
    /// <param name="force">Whether to replace a backbone with other bytes.</param>
    /// <param name="stop">Cancels waiting for another process that changes the directory.</param>
    /// <exception cref="InvalidDataException">It must not replace another one; the message says why. Nothing has
    /// changed.</exception>
    /// <exception cref="IOException">A file cannot be read or written. Nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the directory is denied. Nothing has
    /// changed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled while another process was changing the
    /// directory.</exception>
    public async Task<Installation> AddAsync(
        string name,
        byte[] onnx,
        BackboneManifest manifest,
        bool force,
        CancellationToken stop
    )
    {
        using var held = await AcquireLockAsync(stop);
        return RunInStaging(staging =>
        {
            var staged = GetStagedPath(name, staging);
            AtomicFile.Write(staged, stream => stream.Write(onnx), durable: false);
            return PutInPlace(name, manifest, staged, force);
        });
    }

    /// <summary>Acquires the lock of the directory.</summary>
    internal Task<DirectoryLock> AcquireLockAsync(CancellationToken stop) =>
        DirectoryLock.AcquireAsync(Directory, time, stop);

    /// <summary>Finds the manifest of a backbone in this directory; null if there is none.</summary>
    /// <exception cref="InvalidDataException">Its manifest cannot be read.</exception>
    internal BackboneManifest? FindRecord(string name) =>
        File.Exists(GetManifestPath(name)) ? GetFile(name).ReadManifest() : null;

    /// <summary>Gets whether the file of a backbone matches its manifest.</summary>
    internal bool IsIntact(string name, BackboneManifest record) =>
        record.Sha256 is not null
        && File.Exists(GetFile(name).Path)
        && record.Accepts(FileHash.Compute(GetFile(name).Path));

    /// <summary>Gets the file for a name, whether it exists or not.</summary>
    internal BackboneFile GetFile(string name) => new(name, Path.Combine(Directory, $"{name}.onnx"), IsBuiltIn: false);

    /// <summary>
    /// Finds the hash pinned for a name: of the ONNX file in any directory, or of its weights; null if there is none or
    /// it is unknown.
    /// </summary>
    /// <exception cref="InvalidDataException">Its manifest cannot be read.</exception>
    internal string? FindHash(string name, bool ofOnnx) =>
        ofOnnx ? FindRecord(name)?.Sha256 ?? ComputeInstalledHash(name) : FindRecord(name)?.WeightsSha256;

    /// <summary>Installs a file. The caller holds the lock.</summary>
    internal Installation Install(InstallRequest request)
    {
        CheckName(request.Name);
        return RunInStaging(staging =>
        {
            var (made, notice) = Stage(request, staging);
            if (catalogue.Find(request.Name) is { } entry && made.WeightsSha256 is { } own && !entry.Accepts(own))
                throw new InvalidDataException(
                    $"'{request.Name}' is the catalogue's name for other weights ({entry.Origin.Segments[^1]}). "
                        + "Choose another name for these: --name NAME."
                );
            if (
                !request.Force
                && FindHash(request.Name, ofOnnx: false) is { } pinned
                && made.WeightsSha256 is { } weights
                && !pinned.Equals(weights, StringComparison.OrdinalIgnoreCase)
            )
                throw new InvalidDataException(
                    $"{request.Origin ?? request.Path} has the SHA-256 {weights}, but {pinned} was recorded when "
                        + $"'{request.Name}' was first installed. It is damaged or another file; "
                        + "--force accepts it anyway."
                );
            // Installing the same bytes again repairs a file and keeps its origin and licence.
            if (
                FindRecord(request.Name) is { } known
                && made.Sha256!.Equals(known.Sha256, StringComparison.OrdinalIgnoreCase)
            )
                made = made with { Origin = made.Origin ?? known.Origin, Licence = made.Licence ?? known.Licence };
            return PutInPlace(
                request.Name,
                made with
                {
                    Origin = made.Origin ?? Path.GetFileName(request.Path),
                },
                GetStagedPath(request.Name, staging),
                request.Force
            ) with
            {
                Notice = notice,
            };
        });
    }

    /// <summary>Checks that a name can be used for a backbone in this directory.</summary>
    /// <exception cref="InvalidDataException">It cannot; the message says why.</exception>
    internal static void CheckName(string name)
    {
        if (!NamePattern().IsMatch(name))
            throw new InvalidDataException(
                $"'{name}' cannot name a backbone. A name has 1 to 64 letters, digits, '.', '_' or '-', "
                    + "and starts with a letter or digit."
            );
        if (File.Exists(Path.Combine(BackboneDirectories.BuiltIn, $"{name}.onnx")))
            throw new InvalidDataException($"The backbone '{name}' is built in. Choose another name.");
    }

    /// <summary>Computes the hash of the file that has the name in any directory; null if there is none.</summary>
    private string? ComputeInstalledHash(string name) =>
        directories.Select(directory => Path.Combine(directory, $"{name}.onnx")).FirstOrDefault(File.Exists) is { } path
            ? FileHash.Compute(path)
            : null;

    /// <summary>
    /// Runs work in an empty directory on the same file system, and deletes it afterwards. The caller holds the lock.
    /// </summary>
    private Installation RunInStaging(Func<string, Installation> work)
    {
        var staging = Path.Combine(Directory, ".staging");
        // Left by a process that was killed.
        if (System.IO.Directory.Exists(staging))
            System.IO.Directory.Delete(staging, recursive: true);
        System.IO.Directory.CreateDirectory(staging);
        try
        {
            return work(staging);
        }
        finally
        {
            System.IO.Directory.Delete(staging, recursive: true);
        }
    }

    /// <summary>
    /// Moves a staged network and its manifest to their paths, if the name is free, has these bytes, or is to be
    /// replaced.
    /// </summary>
    private Installation PutInPlace(string name, BackboneManifest made, string staged, bool force)
    {
        var place = GetFile(name);
        var record = force ? null : FindRecord(name);
        if (
            !force
            && FindHash(name, ofOnnx: true) is { } old
            && !old.Equals(made.Sha256, StringComparison.OrdinalIgnoreCase)
        )
            throw new InvalidDataException(
                $"There is a backbone '{name}' with other bytes, and models fitted with it would no longer score. "
                    + "Add this one under another name, or replace it with --force."
            );
        if (record is not null && IsIntact(name, record))
            return new Installation(place, record, Changed: false);
        // The record of these bytes stays valid even if they come as an ONNX file this time.
        if (record?.Sha256 is not null)
            made = made with
            {
                WeightsSha256 = made.WeightsSha256 ?? record.WeightsSha256,
                Architecture = made.Architecture ?? record.Architecture,
            };
        var before = File.Exists(GetManifestPath(name)) ? File.ReadAllBytes(GetManifestPath(name)) : null;
        try
        {
            // The manifest first, so that no network is ever visible without its hash.
            WriteManifest(name, made.ToJson());
            AtomicFile.Move(staged, place.Path);
        }
        catch when (File.Exists(staged))
        {
            // The old network, if any, is still in place.
            if (before is null)
                File.Delete(GetManifestPath(name));
            else
                WriteManifest(name, before);
            throw;
        }
        return new Installation(place, made, Changed: true);
    }

    private void WriteManifest(string name, byte[] json) =>
        AtomicFile.Write(GetManifestPath(name), stream => stream.Write(json));

    /// <summary>Copies or converts the file, runs the network once, and creates its manifest.</summary>
    /// <returns>The manifest, and a sentence about what was changed in the graph of an ONNX file.</returns>
    private (BackboneManifest Manifest, string? Notice) Stage(InstallRequest request, string staging)
    {
        var staged = GetStagedPath(request.Name, staging);
        if (!IsOnnx(request.Path))
            return (StageWeights(request, staged), null);
        var file = new BackboneFile(request.Name, staged, IsBuiltIn: false);
        CopyOnnx(request, file);
        var source = FileHash.Compute(request.Path);
        var isCopy = source == FileHash.Compute(staged);
        var freed = FreeSizes(file);
        using var backbone = Backbone.Load(file, runtime);
        var manifest = Describe(backbone, request) with
        {
            // A manifest beside an ONNX file may name weights, but nothing proves that the file was made from them.
            WeightsSha256 = null,
            Architecture = null,
            SourceSha256 = freed?.Onnx is null && isCopy ? null : source,
        };
        return (manifest, freed?.Notice);
    }

    private BackboneManifest StageWeights(InstallRequest request, string staged)
    {
        if (request.Normalisation is not null || request.Taps is not null)
            throw new InvalidDataException(
                "Taps and normalisation are those of the architecture where a file has weights; only an ONNX file can have"
                    + " others."
            );
        var architecture =
            request.Architecture
            ?? BackboneArchitecture.Detect(request.Path)
            ?? throw new InvalidDataException(
                $"{request.Path} does not contain a known network; "
                    + $"--architecture takes {string.Join(", ", BackboneArchitecture.Names)}."
            );
        BackboneArchitecture.WriteOnnx(architecture, request.Path, staged);
        using var backbone = Backbone.Load(new BackboneFile(request.Name, staged, IsBuiltIn: false), runtime);
        var manifest = Describe(backbone, request);
        return manifest with
        {
            WeightsSha256 = FileHash.Compute(request.Path),
            Architecture = architecture,
            Dimensions =
                manifest.Dimensions
                ?? catalogue.Entries.FirstOrDefault(entry => entry.Architecture == architecture)?.Dimensions,
        };
    }

    private BackboneManifest Describe(Backbone backbone, InstallRequest request) =>
        backbone.Manifest with
        {
            Taps = backbone.Taps,
            PrefixTokens = backbone.PrefixTokens,
            Sha256 = backbone.Identity.Sha256,
            Origin = request.Origin ?? backbone.Manifest.Origin,
            Licence = request.Licence ?? backbone.Manifest.Licence,
            InstalledAt = time.GetUtcNow(),
        };

    /// <summary>
    /// Changes a staged network that takes images of one size so that it takes any, if that is possible. A file that is
    /// no network at all is left for what opens it next to refuse.
    /// </summary>
    private FreedGraph? FreeSizes(BackboneFile file)
    {
        var bytes = File.ReadAllBytes(file.Path);
        var manifest = file.ReadManifest();
        if (!manifest.Accepts(FileHash.Compute(bytes)))
            return null;
        try
        {
            var freed = SizeFreeing.TryRun(bytes, manifest, runtime);
            if (freed?.Onnx is { } onnx)
            {
                AtomicFile.Write(file.Path, stream => stream.Write(onnx), durable: false);
                WriteStagedManifest(file, manifest with { Sha256 = null });
            }
            return freed;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static void Copy(string file, string staged)
    {
        // File.Copy would keep a read-only attribute, and the copy could not be moved into place.
        using var source = File.OpenRead(file);
        AtomicFile.Write(staged, source.CopyTo, durable: false);
    }

    /// <summary>
    /// Copies an ONNX file, with weights that are in other files, and its manifest, changed as requested.
    /// </summary>
    private static void CopyOnnx(InstallRequest request, BackboneFile staged)
    {
        var whole = ExternalWeights.Inline(request.Path);
        if (whole is not null)
            AtomicFile.Write(staged.Path, stream => stream.Write(whole), durable: false);
        else
            Copy(request.Path, staged.Path);
        var manifest = Path.ChangeExtension(request.Path, ".json");
        if (File.Exists(manifest))
            Copy(manifest, Path.ChangeExtension(staged.Path, ".json"));
        request.Normalisation?.Check();
        var read = staged.ReadManifest();
        var changed = read with
        {
            Normalisation = request.Normalisation ?? read.Normalisation,
            Taps = request.Taps?.Select(tensor => new BackboneTap(tensor)).ToArray() ?? read.Taps,
            // The hash of a file without its weights is not that of the one with them.
            Sha256 = whole is not null && read.Accepts(FileHash.Compute(request.Path)) ? null : read.Sha256,
        };
        if (changed != read)
            WriteStagedManifest(staged, changed);
    }

    private static void WriteStagedManifest(BackboneFile staged, BackboneManifest manifest)
    {
        var json = manifest.ToJson();
        AtomicFile.Write(Path.ChangeExtension(staged.Path, ".json"), stream => stream.Write(json), durable: false);
    }

    /// <summary>Gets whether a file is an ONNX file rather than weights, by its extension.</summary>
    /// <exception cref="InvalidDataException">It is neither.</exception>
    internal static bool IsOnnx(string path) =>
        Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".onnx" => true,
            ".safetensors" or ".pth" or ".pt" => false,
            _ => throw new InvalidDataException(
                $"{path} cannot become a backbone. Supported files are .onnx, .safetensors, .pth and .pt."
            ),
        };

    private static string GetStagedPath(string name, string staging) => Path.Combine(staging, $"{name}.onnx");

    private string GetManifestPath(string name) => Path.ChangeExtension(GetFile(name).Path, ".json");

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex NamePattern();
}
