namespace PaDiM.Service.Models;

/// <summary>Creates the files of models that are being made or imported.</summary>
internal sealed class ModelDrafts(ModelStore store, ModelFiles files, ModelRegistry registry)
{
    /// <summary>Creates a draft.</summary>
    /// <param name="category">The category.</param>
    /// <param name="fileName">A name that was never used before.</param>
    public ModelDraft Create(string category, string fileName) => new(store, files, registry, category, fileName);
}
