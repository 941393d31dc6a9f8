using System.Text.RegularExpressions;
using PaDiM.Backbones.Architectures;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Files;
using PaDiM.Engine.Inference;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Puts backbones into a directory: <c>NAME.onnx</c>, opened and run once before it counts, and <c>NAME.json</c>, which
/// records its hash, that of the weights it was made from, and where they came from. The hashes hold from then on:
/// models are known by their backbone's bytes, so other ones take <see cref="InstallRequest.Force"/>.
/// </summary>
/// <param name="directories">The directories of a <see cref="BackboneRegistry"/>, at least one, in order: the first is
/// where backbones are put, created when absent.</param>
/// <param name="catalogue">Gives the paper's dimensions to the manifests of its networks.</param>
/// <param name="runtime">Runs a network once, to see that it is one.</param>
/// <param name="time">The time that manifests are given.</param>
public sealed partial class BackboneInstaller(
    IReadOnlyList<string> directories,
    BackboneCatalogue catalogue,
    BackboneRuntime runtime,
    TimeProvider time
)
{
    /// <summary>Where backbones are put.</summary>
    public string Directory => directories[0];

    /// <summary>Installs a file.</summary>
    /// <exception cref="InvalidDataException">The file cannot be used, or must not take the place of another, with a
    /// sentence that says why; nothing has changed.</exception>
    /// <exception cref="IOException">A file cannot be read or written; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">A file must not be read, or the directory not be written to;
    /// nothing has changed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped while another process was changing the
    /// directory.</exception>
    public async Task<Installation> AddAsync(InstallRequest request, CancellationToken stop)
    {
        using var held = await AcquireLockAsync(stop);
        return Install(request);
    }

    /// <summary>
    /// Puts a network in place that was made of another backbone. Its name may be that of one that came with the
    /// program.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="onnx">Its ONNX file.</param>
    /// <param name="manifest">Its manifest, with the hash of that file.</param>
    /// <param name="force">Replace a backbone of other bytes.</param>
    /// <param name="stop">Stops waiting for another process that changes the directory.</param>
    /// <exception cref="InvalidDataException">It must not take the place of another, with a sentence that says why;
    /// nothing has changed.</exception>
    /// <exception cref="IOException">A file cannot be read or written; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory must not be written to; nothing has
    /// changed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped while another process was changing the
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

    /// <summary>Keeps others from changing the directory.</summary>
    internal Task<DirectoryLock> AcquireLockAsync(CancellationToken stop) =>
        DirectoryLock.AcquireAsync(Directory, time, stop);

    /// <summary>The backbone of that name as it is recorded here; null where there is no record of it.</summary>
    /// <exception cref="InvalidDataException">Its manifest cannot be read.</exception>
    internal BackboneManifest? FindRecord(string name) =>
        File.Exists(GetManifestPath(name)) ? GetFile(name).ReadManifest() : null;

    /// <summary>Whether a backbone lies here just as its manifest records it.</summary>
    internal bool IsIntact(string name, BackboneManifest record) =>
        record.Sha256 is not null && File.Exists(GetFile(name).Path) && record.Accepts(FileHash.Of(GetFile(name).Path));

    /// <summary>The file of a name, whether it is there or not.</summary>
    internal BackboneFile GetFile(string name) => new(name, Path.Combine(Directory, $"{name}.onnx"), IsBuiltIn: false);

    /// <summary>
    /// The hash that holds for a name so far: of the ONNX file, in whichever directory, or of the weights it was made
    /// of; null where there is none, or it is not known.
    /// </summary>
    /// <exception cref="InvalidDataException">Its manifest cannot be read.</exception>
    internal string? FindHash(string name, bool ofOnnx) =>
        ofOnnx ? FindRecord(name)?.Sha256 ?? ComputeInstalledHash(name) : FindRecord(name)?.WeightsSha256;

    /// <summary>Installs a file; the caller holds the lock.</summary>
    internal Installation Install(InstallRequest request)
    {
        CheckName(request.Name);
        return RunInStaging(staging =>
        {
            var made = Stage(request, staging);
            if (catalogue.Find(request.Name) is { } entry && made.WeightsSha256 is { } own && !entry.Accepts(own))
                throw new InvalidDataException(
                    $"'{request.Name}' is the catalogue's name of other weights ({entry.Origin.Segments[^1]}). Give these a name of their own: --name NAME."
                );
            if (
                !request.Force
                && FindHash(request.Name, ofOnnx: false) is { } pinned
                && made.WeightsSha256 is { } weights
                && !pinned.Equals(weights, StringComparison.OrdinalIgnoreCase)
            )
                throw new InvalidDataException(
                    $"{request.Origin ?? request.Path} has the SHA-256 {weights}; {pinned} was recorded when '{request.Name}' was first installed. It is damaged or another file; --force takes it all the same."
                );
            // The same bytes again mend a file; what is known of them is not lost by it.
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
            );
        });
    }

    /// <summary>Refuses what cannot name a backbone here.</summary>
    /// <exception cref="InvalidDataException">A sentence that says why.</exception>
    internal static void CheckName(string name)
    {
        if (!NamePattern().IsMatch(name))
            throw new InvalidDataException(
                $"'{name}' cannot name a backbone. Names are 1 to 64 characters, letters, digits, '.', '_' or '-', and start with a letter or digit."
            );
        if (File.Exists(Path.Combine(BackboneDirectories.BuiltIn, $"{name}.onnx")))
            throw new InvalidDataException($"The backbone '{name}' came with the program; choose another name.");
    }

    /// <summary>
    /// The hash of the file that the name stands for so far, in whichever directory; null where there is none.
    /// </summary>
    private string? ComputeInstalledHash(string name) =>
        directories.Select(directory => Path.Combine(directory, $"{name}.onnx")).FirstOrDefault(File.Exists) is { } path
            ? FileHash.Compute(path)
            : null;

    /// <summary>
    /// Works in an empty directory on the same file system, which is gone afterwards; the caller holds the lock.
    /// </summary>
    private Installation RunInStaging(Func<string, Installation> work)
    {
        var staging = Path.Combine(Directory, ".staging");
        // What a process left that was killed.
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
    /// Puts a staged network and its manifest in their places, where its name is free, or known by these bytes, or is
    /// to be replaced.
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
                $"There is a backbone '{name}' of other bytes; models fitted on it would no longer score. Add this one under another name, or replace it with --force."
            );
        if (record is not null && IsIntact(name, record))
            return new Installation(place, record, Changed: false);
        // What was recorded of these bytes holds, also where they come as an ONNX file this time.
        if (record?.Sha256 is not null)
            made = made with
            {
                WeightsSha256 = made.WeightsSha256 ?? record.WeightsSha256,
                Architecture = made.Architecture ?? record.Architecture,
            };
        var before = File.Exists(GetManifestPath(name)) ? File.ReadAllBytes(GetManifestPath(name)) : null;
        try
        {
            // The manifest first: no moment shows a network without the hash that it must have.
            WriteManifest(name, made.ToJson());
            AtomicFile.Move(staged, place.Path);
        }
        catch when (File.Exists(staged))
        {
            // The network is the old one, or none.
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

    /// <summary>Copies or converts the file, runs the network once, and describes it.</summary>
    private BackboneManifest Stage(InstallRequest request, string staging)
    {
        var staged = GetStagedPath(request.Name, staging);
        var isOnnx = IsOnnx(request.Path);
        var architecture = isOnnx
            ? null
            : request.Architecture
                ?? BackboneArchitecture.Detect(request.Path)
                ?? throw new InvalidDataException(
                    $"{request.Path} holds no network that is known; --architecture takes {string.Join(", ", BackboneArchitecture.Names)}."
                );
        var weights = isOnnx ? null : FileHash.Compute(request.Path);
        if (isOnnx)
            CopyOnnx(request.Path, staged);
        else
            BackboneArchitecture.WriteOnnx(architecture!, request.Path, staged);
        using var backbone = Backbone.Load(new BackboneFile(request.Name, staged, IsBuiltIn: false), runtime);
        var manifest = backbone.Manifest;
        return manifest with
        {
            Taps = backbone.Taps,
            Sha256 = backbone.Identity.Sha256,
            // Of a conversion elsewhere nothing is known; what a manifest beside the file says of it nobody has seen.
            WeightsSha256 = weights,
            Architecture = architecture,
            Dimensions =
                manifest.Dimensions
                ?? catalogue
                    .Entries.FirstOrDefault(entry =>
                        entry.Architecture is not null && entry.Architecture == architecture
                    )
                    ?.Dimensions,
            Origin = request.Origin ?? manifest.Origin,
            Licence = request.Licence ?? manifest.Licence,
            InstalledAt = time.GetUtcNow(),
        };
    }

    private static void Copy(string file, string staged)
    {
        // Not File.Copy: a file that must not be written to would stay one, and could not be put in its place.
        using var source = File.OpenRead(file);
        AtomicFile.Write(staged, source.CopyTo, durable: false);
    }

    private static void CopyOnnx(string onnx, string staged)
    {
        Copy(onnx, staged);
        var manifest = Path.ChangeExtension(onnx, ".json");
        if (File.Exists(manifest))
            Copy(manifest, Path.ChangeExtension(staged, ".json"));
    }

    /// <summary>Whether a file is an ONNX file rather than weights, by its name.</summary>
    /// <exception cref="InvalidDataException">It is neither.</exception>
    internal static bool IsOnnx(string path) =>
        Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".onnx" => true,
            ".safetensors" or ".pth" or ".pt" => false,
            _ => throw new InvalidDataException(
                $"{path} is no file that a backbone can be made of: those are .onnx, .safetensors, .pth and .pt."
            ),
        };

    private static string GetStagedPath(string name, string staging) => Path.Combine(staging, $"{name}.onnx");

    private string GetManifestPath(string name) => Path.ChangeExtension(GetFile(name).Path, ".json");

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex NamePattern();
}
