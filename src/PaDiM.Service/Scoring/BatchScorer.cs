using System.Globalization;
using Microsoft.Extensions.Options;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Scores the files of one request while they arrive.</summary>
internal sealed class BatchScorer(ScoreService scoring, IOptions<ScoringOptions> options)
{
    /// <summary>
    /// Scores files, in their order. A file that cannot be scored gets an error in place of a result.
    /// </summary>
    /// <param name="models">The snapshots to score with.</param>
    /// <param name="parts">Gets the names of the part that a file shows, when it has been read.</param>
    /// <param name="files">The files, read one after the other.</param>
    /// <param name="details">What is wanted besides the scores.</param>
    /// <param name="cancellationToken">Gives up what is not scored yet.</param>
    public Task<Outcome<BatchItem[]>> ScoreAsync(
        PartModels models,
        Func<RequestFile, Outcome<PartIdentity>> parts,
        IAsyncEnumerable<RequestFile> files,
        ScoreDetails details,
        CancellationToken cancellationToken
    ) =>
        ScoreAsync(
            models,
            parts,
            files,
            details,
            (file, outcome) =>
                outcome.Succeeded(out var scored, out var problem)
                    ? new BatchItem(file.FileName, scored.Response, null)
                    : new BatchItem(file.FileName, null, new BatchError(problem.Code, problem.Detail)),
            cancellationToken
        );

    /// <summary>Scores files, in their order, and keeps of each what is asked for.</summary>
    /// <param name="models">The snapshots to score with.</param>
    /// <param name="parts">Gets the names of the part that a file shows, when it has been read.</param>
    /// <param name="files">The files, read one after the other.</param>
    /// <param name="details">What is wanted besides the scores.</param>
    /// <param name="select">Gets what is kept of a file. Called from several threads.</param>
    /// <param name="cancellationToken">Gives up what is not scored yet.</param>
    public async Task<Outcome<TItem[]>> ScoreAsync<TItem>(
        PartModels models,
        Func<RequestFile, Outcome<PartIdentity>> parts,
        IAsyncEnumerable<RequestFile> files,
        ScoreDetails details,
        Func<RequestFile, Outcome<ScoredMap>, TItem> select,
        CancellationToken cancellationToken
    )
    {
        // As many images are in progress as fit into one pass of the backbone. The others stay in the request.
        var window = options.Value.MaxBatchSize;
        var maxFiles = options.Value.MaxBatchFiles;
        var items = new List<Task<TItem>>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await foreach (var file in files)
            {
                if (!FormFields.IsFile(file.Field))
                    return FormFields.CreateProblem(file.Field);
                if (items.Count == maxFiles)
                    return Problems.TooManyFiles(maxFiles);
                if (items.Count >= window)
                    await items[items.Count - window];
                if (!parts(file).Succeeded(out var part, out var problem))
                    return problem;
                // An identifier is that of one inspection; a repeated batch has the same files in the same order.
                if (part.InspectionId is { } id)
                    part = part with
                    {
                        InspectionId = string.Create(CultureInfo.InvariantCulture, $"{id}-{items.Count + 1}"),
                    };
                items.Add(ScoreFileAsync(models, file, part, details, select, stop.Token));
            }
            return await Task.WhenAll(items);
        }
        finally
        {
            // A form that ends early leaves no work behind.
            await stop.CancelAsync();
            Task remaining = Task.WhenAll(items);
            await remaining.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<TItem> ScoreFileAsync<TItem>(
        PartModels models,
        RequestFile file,
        PartIdentity part,
        ScoreDetails details,
        Func<RequestFile, Outcome<ScoredMap>, TItem> select,
        CancellationToken cancellationToken
    )
    {
        if (file.Fault is { } fault)
            return select(file, fault);
        // The caller goes on reading the request.
        await Task.Yield();
        return select(file, await scoring.ScoreAsync(models, file, details, Priority.Batch, part, cancellationToken));
    }
}
