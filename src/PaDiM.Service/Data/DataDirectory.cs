using Microsoft.Extensions.Options;
using PaDiM.Engine.Machine;

namespace PaDiM.Service.Data;

/// <summary>The directory for all persistent data.</summary>
internal sealed class DataDirectory(string root)
{
    public const string ImagesName = "images",
        ModelsName = "models",
        InspectionsName = "inspections";

    public DataDirectory(IOptions<DataOptions> options)
        : this(options.Value.DataDirectory) { }

    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Gets the folder of images and masks, content-addressed.</summary>
    public string Images => Path.Combine(Root, ImagesName);

    /// <summary>Gets the folder of model and statistics files, one folder per category.</summary>
    public string Models => Path.Combine(Root, ModelsName);

    /// <summary>Gets the folder of kept images of inspections, one folder per category.</summary>
    public string Inspections => Path.Combine(Root, InspectionsName);

    /// <summary>Gets the folder of training-image embeddings: a cache that may be deleted at any time.</summary>
    public string Embeddings => Path.Combine(Root, "embeddings");

    /// <summary>Gets the folder of what running evaluations and lookbacks continue from, one folder per job.</summary>
    public string Evaluations => Path.Combine(Root, "evaluations");

    /// <summary>Gets the folder of copies of models from a bucket, named by their hashes.</summary>
    public string Copies => Path.Combine(Root, "copies");

    public string GetEvaluation(string jobId) => Path.Combine(Evaluations, jobId);

    /// <summary>
    /// Deletes what a job has kept to continue from, once its result is stored. The sweeper deletes what is still in use
    /// here, and that of a job that failed or was deleted.
    /// </summary>
    public void DeleteEvaluation(string jobId)
    {
        try
        {
            if (GetEvaluation(jobId) is var folder && Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // The sweeper deletes it later.
        }
    }

    public string Database => Path.Combine(Root, "padim.db");

    /// <summary>Gets the file of the ledger of inspections.</summary>
    public string Ledger => Path.Combine(Root, "inspections.db");

    /// <summary>Gets the file of the key that seals the secrets of sinks. Backups do not have it.</summary>
    public string SinkKey => Path.Combine(Root, "sinks.key");

    /// <summary>Gets the folder of what sinks write. Backups do not have it.</summary>
    public string Sinks => Path.Combine(Root, "sinks");

    /// <summary>Gets the file of the last scrub report.</summary>
    public string ScrubReport => Path.Combine(Root, "scrub.json");

    /// <summary>Gets the file that marks a backup; no directory in use by a service has it.</summary>
    public string BackupMark => Path.Combine(Root, "backup.json");

    /// <summary>Refuses to run on a backup, because the next backup would overwrite the changes.</summary>
    /// <exception cref="InvalidDataException">The directory is a backup.</exception>
    public void ThrowIfBackup()
    {
        if (File.Exists(BackupMark))
            throw new InvalidDataException(
                $"{Root} is a backup. Restore it into a separate data directory: PaDiM.Service.dll restore "
                    + $"{Root} DATA."
            );
    }

    /// <summary>
    /// Checks that the directory can be used with a database, and creates the folders that do not exist yet.
    /// </summary>
    /// <exception cref="InvalidDataException">It cannot be used; the message says why.</exception>
    public void Prepare(IDatabaseEngine engine)
    {
        ThrowIfBackup();
        if (engine is SqliteEngine)
            ThrowIfOnNetwork();
        Create();
    }

    /// <summary>Refuses to keep the SQLite database where its locks do not hold.</summary>
    /// <exception cref="InvalidDataException">The directory is on a network file system.</exception>
    private void ThrowIfOnNetwork()
    {
        if (NetworkFileSystem.Find(Root) is { } type)
            throw new InvalidDataException(
                $"The data directory {Root} is on a network file system ({type}), where the locks of SQLite do not "
                    + "protect the database. Use a disk of this machine. For several machines, keep the metadata in "
                    + "PostgreSQL."
            );
    }

    /// <summary>Creates the folders that do not exist yet, and checks that files can be written to all of them.</summary>
    /// <exception cref="InvalidDataException">A folder cannot be written to.</exception>
    public void Create()
    {
        foreach (var directory in new[] { Root, Images, Models, Inspections, Embeddings, Evaluations })
            try
            {
                Directory.CreateDirectory(directory);
                var probe = Path.Combine(directory, $".probe-{Guid.NewGuid():n}");
                File.Create(probe, 1, FileOptions.DeleteOnClose).Dispose();
            }
            catch (UnauthorizedAccessException e)
            {
                throw new InvalidDataException(ExplainDenied(directory), e);
            }
            catch (IOException e) when (Directory.Exists(directory))
            {
                throw new InvalidDataException($"The data directory {directory} cannot be written to: {e.Message}", e);
            }
    }

    /// <summary>Gets the nearest folder that exists, which is the one whose owner counts.</summary>
    private static string FindExisting(string directory) =>
        Directory.Exists(directory) ? directory : FindExisting(Path.GetDirectoryName(directory) ?? "/");

    /// <summary>Says who owns a folder, who this process is, and what to do about it.</summary>
    internal static string ExplainDenied(string directory)
    {
        var found = FindExisting(directory);
        var denied = $"The data directory {directory} cannot be written to: {found} ";
        if (
            OperatingSystem.IsWindows()
            || FileOwner.Read(found) is not { } owner
            || FileOwner.ReadProcess() is not { } process
        )
            return denied + "denies access to this service.";
        var user = $"{process.User}:{process.Group}";
        return denied
            + $"belongs to {owner.User}:{owner.Group} (user and group) with mode "
            + $"{Convert.ToString((int)File.GetUnixFileMode(found), 8)}, and this service runs as {user}. Run "
            + (
                found == directory
                    ? $"'chown -R {user} {directory}'"
                    : $"'mkdir -p {directory} && chown {user} {directory}'"
            )
            + " on the machine that has the volume.";
    }
}
