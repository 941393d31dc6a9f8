using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Fitting;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Learning;

/// <summary>Starts fits of candidates: incremental ones, that are published without being activated.</summary>
internal sealed class CandidateFits(IDbContextFactory<PadimDbContext> contexts, FitPlanner planner, JobStore jobs)
{
    /// <summary>
    /// Starts a fit, unless the newest version was fitted to all of the given images, or a fit that will read them waits
    /// already: a request that is repeated after a lost answer makes one candidate.
    /// </summary>
    /// <param name="category">The category.</param>
    /// <param name="learnt">Identifiers of images of its source.</param>
    /// <param name="shadow">Whether the candidate scores in the shadow of the active version.</param>
    /// <param name="cancellationToken">Cancels before the fit is queued.</param>
    /// <returns>The job, or null if none is needed.</returns>
    public async Task<Outcome<Job?>> StartAsync(
        string category,
        IReadOnlyList<string> learnt,
        bool shadow,
        CancellationToken cancellationToken
    )
    {
        var body = JsonSerializer.Serialize(new FitRequest { Activate = false, Shadow = shadow });
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var newest = await db
            .Models.Where(model => model.Category == category)
            .MaxAsync(model => (int?)model.Version, cancellationToken);
        var isKnown = await db
            .Images.Where(image => learnt.Contains(image.Id))
            .AllAsync(
                image =>
                    image.HeldOut
                    || db.ModelImages.Any(used =>
                        used.Category == category && used.Version == newest && used.Sha256 == image.Sha256
                    ),
                cancellationToken
            );
        if (isKnown)
            return (Job?)null;
        if (
            await db
                .Jobs.AsNoTracking()
                .Where(job =>
                    job.Category == category
                    && job.Kind == JobKind.Fit
                    && job.State == JobState.Queued
                    && job.Request == body
                )
                .OrderByDescending(job => job.Id)
                .FirstOrDefaultAsync(cancellationToken) is
            { } waiting
        )
            return waiting;
        if (!(await planner.PlanAsync(category, cancellationToken)).Succeeded(out var plan, out var problem))
            return problem;
        return (
            await jobs.EnqueueAsync(JobKind.Fit, category, body, idempotencyKey: null, cancellationToken, plan.Estimate)
        ).Succeeded(out var job, out problem)
            ? job
            : problem;
    }
}
