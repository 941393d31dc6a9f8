using Microsoft.Extensions.Options;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Storage;

/// <summary>Where everything lies that outlives the process.</summary>
internal sealed class DataDirectory
{
    public DataDirectory(IOptions<PadimOptions> options)
    {
        Root = Path.GetFullPath(options.Value.DataDirectory);
        foreach (var directory in new[] { Images, Models, Embeddings, Evaluations }) Directory.CreateDirectory(directory);
    }

    public string Root { get; }

    /// <summary>Content-addressed bytes of images and masks.</summary>
    public string Images => Path.Combine(Root, "images");

    /// <summary>Model and statistics files, a folder a category.</summary>
    public string Models => Path.Combine(Root, "models");

    /// <summary>Embeddings of training images: a cache that may be deleted at any time.</summary>
    public string Embeddings => Path.Combine(Root, "embeddings");

    /// <summary>Maps of evaluations under way, a folder a job.</summary>
    public string Evaluations => Path.Combine(Root, "evaluations");

    public string EvaluationOf(string jobId) => Path.Combine(Evaluations, jobId);

    public string Database => Path.Combine(Root, "padim.db");
}
