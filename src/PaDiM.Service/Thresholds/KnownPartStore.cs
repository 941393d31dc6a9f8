using System.Globalization;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Thresholds;

/// <summary>Reads what is known of parts that a version has scored: its images, and inspections with a verdict.</summary>
internal sealed class KnownPartStore(
    IDbContextFactory<PadimDbContext> contexts,
    IDatabaseEngine engine,
    EvaluationStore evaluations
)
{
    /// <summary>The latest inspections with a verdict that count.</summary>
    private const int MaxReviewed = 100_000;

    /// <summary>Images that are looked for at once.</summary>
    private const int Piece = 500;

    /// <summary>Gets the category that a category takes its images from.</summary>
    public async Task<string> GetSourceAsync(string category, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.GetImageSourceAsync(category, cancellationToken);
    }

    /// <summary>Gets the known parts of a model, and the evaluation that some of them come from.</summary>
    /// <param name="source">The category of the images.</param>
    /// <param name="model">The model.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public async Task<(KnownParts Parts, string? EvaluationId)> ReadAsync(
        string source,
        CategoryModel model,
        CancellationToken cancellationToken
    )
    {
        var evaluation = await evaluations.FindNewestAsync(model.Category, model.Version, cancellationToken);
        var evaluated = evaluation?.Scores.Where(score => !score.LeaveOneOut).ToArray() ?? [];
        // Also on inspections: a photograph that was learnt or evaluated counts once.
        var counted = model.Scorer.Model.TrainingImages.ToHashSet(StringComparer.Ordinal);
        counted.UnionWith(
            await ListHashesAsync(source, [.. evaluated.Select(score => score.ImageId)], cancellationToken)
        );
        var reviewed = (await ReadReviewedAsync(source, model, cancellationToken))
            .DistinctBy(row => row.Sha256, StringComparer.Ordinal)
            .Where(row => !counted.Contains(row.Sha256))
            .ToLookup(row => row.Verdict, row => row.Score);
        return (
            new KnownParts(
                [.. evaluated.Where(score => score.Label == ImageLabel.Normal).Select(score => score.Score)],
                [.. reviewed[Verdict.Good]],
                [.. evaluated.Where(score => score.Label == ImageLabel.Anomalous).Select(score => score.Score)],
                [.. reviewed[Verdict.Defective]]
            ),
            evaluation?.Id
        );
    }

    /// <summary>Lists the scores that a threshold divides, highest first. Images with equal scores keep their order.</summary>
    /// <param name="source">The category of the images.</param>
    /// <param name="model">The model.</param>
    /// <param name="page">The page.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public async Task<Outcome<Page<ThresholdScore>>> ListScoresAsync(
        string source,
        CategoryModel model,
        PageRequest page,
        CancellationToken cancellationToken
    )
    {
        if (!page.GetNumberAfter().Succeeded(out var last, out var problem))
            return problem;
        var evaluation = await evaluations.FindNewestAsync(model.Category, model.Version, cancellationToken);
        var fitted = model.Scorer.Model;
        var trained = fitted.TrainingImages.Count;
        // The images that the model was fitted to have the first numbers, and those of the evaluation the next ones.
        var evaluated = (evaluation?.Scores ?? [])
            .Where(score => !score.LeaveOneOut)
            .OrderBy(score => score.ImageId, StringComparer.Ordinal)
            .ToArray();
        double GetScore(int i) => i < trained ? fitted.Calibration.Scores[i] : evaluated[i - trained].Score;
        // Of all others, no more is sorted than it takes to find these.
        var shown = Enumerable
            .Range(0, trained + evaluated.Length)
            .OrderByDescending(GetScore)
            .Skip((int)Math.Min(last + 1, int.MaxValue))
            .Take(page.Limit + 1)
            .Select((image, i) => (Image: image, Place: last + 1 + i))
            .ToArray();
        var hashes = shown.Where(row => row.Image < trained).Select(row => fitted.TrainingImages[row.Image]);
        var images = await FindImagesAsync(source, [.. hashes], cancellationToken);
        var uncounted = fitted.Calibration.Uncounted.ToHashSet();
        return page.Cut(
            shown,
            row => row.Place.ToString(CultureInfo.InvariantCulture),
            row =>
                row.Image < trained
                    ? new ThresholdScore(
                        images.GetValueOrDefault(fitted.TrainingImages[row.Image]),
                        ImageLabel.Normal,
                        Defect: null,
                        GetScore(row.Image),
                        LeaveOneOut: true,
                        Counts: !uncounted.Contains(row.Image)
                    )
                    : ThresholdScore.Of(evaluated[row.Image - trained])
        );
    }

    /// <summary>Finds the identifiers of images by their hashes.</summary>
    private async Task<Dictionary<string, string>> FindImagesAsync(
        string source,
        IReadOnlyList<string> hashes,
        CancellationToken cancellationToken
    )
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var piece in hashes.Chunk(Piece))
        await foreach (
            var image in db
                .Images.Where(image => image.Category == source && piece.Contains(image.Sha256))
                .Select(image => new { image.Sha256, image.Id })
                .AsAsyncEnumerable()
                .WithCancellation(cancellationToken)
        )
            found[image.Sha256] = image.Id;
        return found;
    }

    /// <summary>Lists the hashes of images; those that were deleted have none.</summary>
    private async Task<List<string>> ListHashesAsync(
        string source,
        IReadOnlyList<string> ids,
        CancellationToken cancellationToken
    )
    {
        var found = new List<string>();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var piece in ids.Chunk(Piece))
            found.AddRange(
                await db
                    .Images.Where(image => image.Category == source && piece.Contains(image.Id))
                    .Select(image => image.Sha256)
                    .ToListAsync(cancellationToken)
            );
        return found;
    }

    /// <summary>Reads the inspections that a version of a category decided, latest first.</summary>
    private async Task<List<Reviewed>> ReadReviewedAsync(
        string source,
        CategoryModel model,
        CancellationToken cancellationToken
    )
    {
        var (category, version) = (model.Category, model.Version);
        var decidedBy = category == source ? null : category;
        await using var db = engine.CreateLedger();
        var found = new List<Reviewed>();
        // One verdict after the other, as the index has them.
        foreach (var verdict in new[] { Verdict.Good, Verdict.Defective })
            found.AddRange(
                await db
                    .Inspections.Where(row =>
                        row.Category == source
                        && row.Verdict == verdict
                        && row.ModelVersion == version
                        && row.DecidedBy == decidedBy
                    )
                    .OrderByDescending(row => row.Key)
                    .Take(MaxReviewed)
                    .Select(row => new Reviewed(row.Key, row.Sha256, row.Score, verdict))
                    .ToListAsync(cancellationToken)
            );
        return [.. found.OrderByDescending(row => row.Key)];
    }

    private sealed record Reviewed(long Key, string Sha256, double Score, Verdict Verdict);
}
