using PaDiM.Core.Models;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Models;

/// <summary>Publishes models, and makes them score on this replica at once.</summary>
internal sealed class ModelPublisher(ModelStore store, ModelFiles files, ModelRegistry registry)
{
    /// <summary>Creates the files of a model that is still being made.</summary>
    /// <param name="category">The category.</param>
    /// <param name="fileName">A name that was never used before.</param>
    public ModelDraft CreateDraft(string category, string fileName) => new(this, files, category, fileName);

    /// <summary>Publishes a model (see <see cref="ModelStore.PublishAsync"/>) and loads it.</summary>
    /// <returns>The row; null when the job may no longer publish.</returns>
    public async Task<StoredModel?> PublishAsync(
        string category,
        string fileName,
        PadimModel model,
        bool activate,
        JobLease? lease,
        CancellationToken cancellationToken
    )
    {
        if (await store.PublishAsync(category, fileName, model, activate, lease, cancellationToken) is not { } stored)
            return null;
        await registry.RefreshAsync(category, CancellationToken.None);
        return stored;
    }
}
