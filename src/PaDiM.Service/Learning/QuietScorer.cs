using PaDiM.Service.Admission;
using PaDiM.Service.Background;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Learning;

/// <summary>
/// Scores images for which no answer waits, on one thread of the lowest priority: as jobs do, it uses what time the line
/// leaves, takes none of its memory for decoding, and pauses while the line is active. A replica without job workers has
/// it too. The scores are those of the line.
/// </summary>
internal sealed class QuietScorer(JobImages images, ImageAdmission admission) : IDisposable
{
    /// <summary>Started when the first image comes: most services have no candidate.</summary>
    private readonly Lazy<BackgroundScheduler> _thread = new(() => new BackgroundScheduler(1));

    /// <summary>Scores an image.</summary>
    public Task<Outcome<double>> ScoreAsync(
        CategoryModel model,
        RequestFile file,
        CancellationToken cancellationToken
    ) => _thread.Value.RunAsync(() => Score(model, file, cancellationToken));

    public void Dispose()
    {
        if (_thread.IsValueCreated)
            _thread.Value.Dispose();
    }

    private Outcome<double> Score(CategoryModel model, RequestFile file, CancellationToken cancellationToken)
    {
        admission.PauseForActiveLine(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        var scorer = model.Scorer;
        if (!file.ToImage(images.Decoder, scorer.Embedder.Decoding).Succeeded(out var image, out var problem))
            return problem;
        if (scorer.ValidateSize(image.Size) is { } hidden)
            return Problems.IgnoreMaskUnusable(hidden);
        var (map, _) = scorer.Score([image], _thread.Value.CreateContext(1))[0];
        var score = scorer.GetScore(map, scorer.CreateFrame(image.Size));
        return float.IsFinite(score) ? score : Problems.NotFinite(scorer.Backbone.Identity.Name);
    }
}
