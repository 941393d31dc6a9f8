using PaDiM.Core.Models;
using PaDiM.Core.Statistics;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Models;

/// <summary>
/// Represents the files of a model that is being made or imported. Disposal removes them unless they were published.
/// </summary>
internal sealed class ModelDraft(
    ModelStore store,
    ModelFiles files,
    ModelRegistry registry,
    string category,
    string fileName
) : IAsyncDisposable
{
    private bool _isPublishing;

    /// <summary>Gets whether files are written without a wait.</summary>
    public bool IsLocal => files.IsLocal;

    /// <summary>Writes the statistics behind the model.</summary>
    public ValueTask WriteStatisticsAsync(TrainingStatistics statistics, CancellationToken cancellationToken) =>
        files.WriteStatisticsAsync(category, fileName, statistics, cancellationToken);

    /// <summary>
    /// Publishes the model (see <see cref="ModelStore.PublishAsync"/>), and loads it on this replica.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="activate">Whether the model scores from now on.</param>
    /// <param name="shadow">Whether the model scores in the shadow of the active version.</param>
    /// <param name="lease">The job that made the model; null for an import.</param>
    /// <param name="cancellationToken">Cancels until the transaction starts.</param>
    /// <returns>The row; null when the job may no longer publish.</returns>
    public async Task<StoredModel?> PublishAsync(
        PadimModel model,
        bool activate,
        bool shadow,
        JobLease? lease,
        CancellationToken cancellationToken
    )
    {
        // From here on the store decides about the file; the sweeper removes what it leaves behind.
        _isPublishing = true;
        var stored = await store.PublishAsync(category, fileName, model, activate, shadow, lease, cancellationToken);
        if (stored is not null)
            await registry.RefreshAsync(category, CancellationToken.None);
        return stored;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isPublishing)
            await files.DeleteAsync(category, fileName, CancellationToken.None);
    }
}
