using Microsoft.Extensions.Options;

namespace PaDiM.Service.Data;

/// <summary>The directory for all persistent data.</summary>
internal sealed class DataDirectory(string root)
{
    public const string ImagesName = "images",
        ModelsName = "models";

    public DataDirectory(IOptions<DataOptions> options)
        : this(options.Value.DataDirectory) { }

    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Gets the folder of images and masks, content-addressed.</summary>
    public string Images => Path.Combine(Root, ImagesName);

    /// <summary>Gets the folder of model and statistics files, one folder per category.</summary>
    public string Models => Path.Combine(Root, ModelsName);

    /// <summary>Gets the folder of training-image embeddings: a cache that may be deleted at any time.</summary>
    public string Embeddings => Path.Combine(Root, "embeddings");

    /// <summary>Gets the folder of anomaly maps of running evaluations, one folder per job.</summary>
    public string Evaluations => Path.Combine(Root, "evaluations");

    public string GetEvaluation(string jobId) => Path.Combine(Evaluations, jobId);

    public string Database => Path.Combine(Root, "padim.db");

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

    /// <summary>Creates the folders that do not exist yet.</summary>
    public void Create()
    {
        foreach (var directory in new[] { Images, Models, Embeddings, Evaluations })
            Directory.CreateDirectory(directory);
    }
}
