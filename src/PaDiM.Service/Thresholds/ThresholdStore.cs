using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Thresholds;

/// <summary>Thresholds and their history in the database.</summary>
internal sealed class ThresholdStore(IDbContextFactory<PadimDbContext> contexts, TimeProvider time)
{
    /// <summary>
    /// Changes the rate or the threshold of the active model (null for the calibrated one), and records who did it and
    /// when, and why if they said so.
    /// </summary>
    public async Task<Problem?> ChangeAsync(
        string name,
        double? falseRejectRate,
        double? threshold,
        string who,
        string? reason,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var category = await db.Categories.ForUpdate().SingleOrDefaultAsync(c => c.Name == name, cancellationToken);
        if (category is null)
            return Problems.CategoryNotFound(name);
        var now = time.GetUtcNow().UtcDateTime;
        var model = await db.Models.SingleOrDefaultAsync(
            m => m.Category == name && m.Version == category.ActiveVersion,
            cancellationToken
        );
        if (model is null && threshold is not null)
            return Problems.ModelNotReady(name);
        if (ThresholdRequest.CheckAgainst(category.Settings.ReviewRate, falseRejectRate) is { } refused)
            return refused;
        category.FalseRejectRate = falseRejectRate ?? category.FalseRejectRate;
        if (model is not null)
            model.ThresholdOverride = threshold;
        category.UpdatedAt = now;
        category.Revision = category.Revision + 1;
        db.Add(
            new ThresholdChange
            {
                Category = name,
                At = now,
                Who = who,
                ModelVersion = model?.Version,
                FalseRejectRate = category.FalseRejectRate,
                Threshold = threshold,
                Reason = reason,
            }
        );
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    /// <summary>Gets the changes of the threshold, newest first.</summary>
    public async Task<IReadOnlyList<ThresholdChangeResponse>> ListChangesAsync(
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ofCategory = db.ThresholdChanges.AsNoTracking().Where(change => change.Category == name);
        var count = await ofCategory.CountAsync(cancellationToken);
        var changes = await ofCategory.OrderByDescending(change => change.Id).Take(100).ToListAsync(cancellationToken);
        return
        [
            .. changes.Select(
                (change, i) =>
                    new ThresholdChangeResponse(
                        count - i,
                        change.At,
                        change.Who,
                        change.ModelVersion,
                        change.FalseRejectRate,
                        change.Threshold,
                        change.Reason
                    )
            ),
        ];
    }
}
