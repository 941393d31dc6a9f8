using PaDiM.Core.Statistics;
using PaDiM.Engine.Fitting;
using PaDiM.Service.Background;
using PaDiM.Service.Models;

namespace PaDiM.Service.Fitting;

/// <summary>Finds earlier fits that a new one can continue.</summary>
internal sealed class PriorFits(ModelStore models, ModelFiles files, BackgroundScheduler threads)
{
    /// <summary>Finds the fit of the newest model; null when it has other settings or another backbone.</summary>
    public async Task<PriorFit?> FindAsync(FitPlan plan, CancellationToken cancellationToken)
    {
        if (
            await models.FindNewestAsync(plan.Category.Name, cancellationToken) is not { } newest
            || newest.BackboneSha256 != plan.Backbone.Identity.Sha256
        )
            return null;
        try
        {
            if (
                !(await files.ReadAsync(newest, cancellationToken)).Succeeded(out var model, out _)
                || model.Settings != plan.Settings
                || !model.Backbone.IsSameAs(plan.Backbone.Identity)
            )
                return null;
            return new PriorFit(
                model.Reduction,
                model.TrainingImages,
                () => ReadStatistics(plan.Category.Name, newest.FileName, cancellationToken)
            );
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private TrainingStatistics? ReadStatistics(string category, string fileName, CancellationToken cancellationToken) =>
        files.IsLocal
            ? files.ReadStatisticsAsync(category, fileName, cancellationToken).AsTask().GetAwaiter().GetResult()
            : threads.WaitFor(() => files.ReadStatisticsAsync(category, fileName, cancellationToken).AsTask());
}
