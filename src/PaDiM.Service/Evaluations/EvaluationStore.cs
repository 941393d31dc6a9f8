using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;

namespace PaDiM.Service.Evaluations;

/// <summary>Stores evaluations in the database.</summary>
internal sealed class EvaluationStore(IDbContextFactory<PadimDbContext> contexts, TimeProvider time)
{
    /// <summary>Stores an evaluation and ends its job, in one transaction.</summary>
    /// <returns>False when the job changed hands or was cancelled; nothing is stored then.</returns>
    public async Task<bool> PublishAsync(
        JobLease lease,
        string category,
        int version,
        EvaluationFigures figures,
        List<StoredScore> scores,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var hasCategory = await db.LockCategoryAsync(category, cancellationToken);
        var job = await lease.LockAsync(db, cancellationToken);
        if (!hasCategory || job is null)
            return false;
        var now = time.GetUtcNow().UtcDateTime;
        db.Add(
            new StoredEvaluation
            {
                Id = job.Id,
                Category = category,
                ModelVersion = version,
                CreatedAt = now,
                Figures = JsonSerializer.Serialize(figures),
                Scores = scores,
            }
        );
        job.Succeed(now, version);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    }

    public async Task<Outcome<EvaluationResponse>> GetAsync(string id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await Rows(db).SingleOrDefaultAsync(e => e.Id == id, cancellationToken) is { } row
            ? row.ToResponse()
            : Problems.EvaluationNotFound(id);
    }

    /// <summary>Lists the evaluations of a category, newest first.</summary>
    public async Task<Outcome<Page<EvaluationResponse>>> ListAsync(
        string category,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await db.Categories.AnyAsync(c => c.Name == category, cancellationToken))
            return Problems.CategoryNotFound(category);
        var rows = await Rows(db)
            .Where(e => e.Category == category && (page.After == "" || string.Compare(e.Id, page.After) < 0))
            .OrderByDescending(e => e.Id)
            .Take(page.Limit + 1)
            .ToListAsync(cancellationToken);
        return page.Cut(rows, e => e.Id, e => e.ToResponse());
    }

    /// <summary>Lists the scores of an evaluation's images, by identifier.</summary>
    public async Task<Outcome<Page<EvaluatedImage>>> ListImagesAsync(
        string id,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (
            await db.Evaluations.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancellationToken)
            is not { } stored
        )
            return Problems.EvaluationNotFound(id);
        var figures = JsonSerializer.Deserialize<EvaluationFigures>(stored.Figures)!;
        var rows = stored
            .Scores.Where(s => string.CompareOrdinal(s.ImageId, page.After) > 0)
            .OrderBy(s => s.ImageId, StringComparer.Ordinal)
            .Take(page.Limit + 1)
            .ToArray();
        return page.Cut(
            rows,
            s => s.ImageId,
            s => new EvaluatedImage(
                s.ImageId,
                s.Label,
                s.Defect,
                s.Score,
                CategoryModel.Decide(s.Score, figures.ConfusionAtThreshold.Threshold, figures.ReviewThreshold),
                s.LeaveOneOut
            )
        );
    }

    /// <summary>Finds the newest evaluation of a version; null when there is none.</summary>
    public async Task<StoredEvaluation?> FindNewestAsync(
        string category,
        int version,
        CancellationToken cancellationToken
    )
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db
            .Evaluations.AsNoTracking()
            .Where(e => e.Category == category && e.ModelVersion == version)
            .OrderByDescending(e => e.Id)
            .FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>Selects evaluations without their scores, of which each may have thousands.</summary>
    private static IQueryable<Row> Rows(PadimDbContext db) =>
        db
            .Evaluations.AsNoTracking()
            .Select(e => new Row
            {
                Id = e.Id,
                Category = e.Category,
                ModelVersion = e.ModelVersion,
                CreatedAt = e.CreatedAt,
                Figures = e.Figures,
            });

    private sealed record Row
    {
        public required string Id { get; init; }

        public required string Category { get; init; }

        public int ModelVersion { get; init; }

        public DateTime CreatedAt { get; init; }

        public required string Figures { get; init; }

        public EvaluationResponse ToResponse() =>
            new(Id, Category, ModelVersion, CreatedAt, JsonSerializer.Deserialize<EvaluationFigures>(Figures)!);
    }
}
