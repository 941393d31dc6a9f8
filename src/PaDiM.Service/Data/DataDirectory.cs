using Microsoft.Extensions.Options;

namespace PaDiM.Service.Data;

/// <summary>Where everything lies that outlives the process.</summary>
internal sealed class DataDirectory(string root)
{
    public const string ImagesName = "images",
        ModelsName = "models";

    public DataDirectory(IOptions<DataOptions> options)
        : this(options.Value.DataDirectory) { }

    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Content-addressed bytes of images and masks.</summary>
    public string Images => Path.Combine(Root, ImagesName);

    /// <summary>Model and statistics files, a folder a category.</summary>
    public string Models => Path.Combine(Root, ModelsName);

    /// <summary>Embeddings of training images: a cache that may be deleted at any time.</summary>
    public string Embeddings => Path.Combine(Root, "embeddings");

    /// <summary>Maps of evaluations under way, a folder a job.</summary>
    public string Evaluations => Path.Combine(Root, "evaluations");

    public string EvaluationOf(string jobId) => Path.Combine(Evaluations, jobId);

    public string Database => Path.Combine(Root, "padim.db");

    /// <summary>What the last scrub found.</summary>
    public string ScrubReport => Path.Combine(Root, "scrub.json");

    /// <summary>Stands in a backup, and in no directory that a service works in.</summary>
    public string BackupMark => Path.Combine(Root, "backup.json");

    /// <summary>Keeps a service out of a backup, which the next one would write over.</summary>
    /// <exception cref="InvalidDataException">The directory is a backup.</exception>
    public void RefuseBackup()
    {
        if (File.Exists(BackupMark))
            throw new InvalidDataException(
                $"{Root} is a backup. Restore it into a data directory of its own: PaDiM.Service.dll restore {Root} DATA."
            );
    }

    /// <summary>Makes the folders that are not there yet.</summary>
    public void Create()
    {
        foreach (var directory in new[] { Images, Models, Embeddings, Evaluations })
            Directory.CreateDirectory(directory);
    }
}
