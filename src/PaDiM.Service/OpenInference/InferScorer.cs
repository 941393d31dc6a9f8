using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// Scores the images of a tensor: a single one as <c>/score</c> does, several as <c>/score/batch</c> does. A tensor has no
/// place for an error, so that an image without a result fails the request.
/// </summary>
internal sealed class InferScorer(ScoreService scoring, BatchScorer batches, BodyMemory memory)
{
    private static readonly ScoreDetails Details = new(Heatmap: null, PictureFormat.Png, Contours: false);

    /// <summary>Scores the images.</summary>
    /// <param name="models">The snapshots to score with.</param>
    /// <param name="header">What the request says.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="files">The images, read one after the other.</param>
    /// <param name="outputs">The tensors to return.</param>
    /// <param name="part">The client's names for the part.</param>
    /// <param name="context">The request; maps that wait to be sent are counted until it ends.</param>
    /// <param name="cancellationToken">Gives up what is not scored yet.</param>
    public async Task<Outcome<InferAnswer>> ScoreAsync(
        PartModels models,
        InferHeader header,
        int count,
        IAsyncEnumerable<RequestFile> files,
        IReadOnlyList<ChosenOutput> outputs,
        PartHeaders part,
        HttpContext context,
        CancellationToken cancellationToken
    )
    {
        var maps = outputs.Any(chosen => chosen.Output == InferOutput.Map) ? new HeldMaps(memory, context) : null;
        var scored =
            count == 1
                ? await ScoreOneAsync(models, files, maps, part, context, cancellationToken)
                : await ScoreManyAsync(models, files, maps, part, context, cancellationToken);
        if (!scored.Succeeded(out var images, out var problem))
            return problem;
        if (maps is not null && images.Any(image => image.Map!.Grid != images[0].Map!.Grid))
            return Problems.InvalidRequest(
                "The maps of these images differ in size, so that they are no tensor. Ask for them one by one."
            );
        return new InferAnswer(
            models.Category,
            models.Models[0].Version,
            header.Id,
            header.Parameters,
            outputs,
            images
        );
    }

    private async Task<Outcome<InferredImage[]>> ScoreOneAsync(
        PartModels models,
        IAsyncEnumerable<RequestFile> files,
        HeldMaps? maps,
        PartHeaders part,
        HttpContext context,
        CancellationToken cancellationToken
    )
    {
        if (!part.Identify(context, fileName: null).Succeeded(out var identity, out var problem))
            return problem;
        RequestFile? image = null;
        // A fault behind the image is one of the tensor.
        await foreach (var file in files.WithCancellation(cancellationToken))
        {
            if (file.Fault is { } fault)
                return fault;
            image = file;
        }
        var outcome = await scoring.ScoreAsync(models, image!, Details, Priority.Line, identity, cancellationToken);
        if (!outcome.Succeeded(out var scored, out problem) || !Keep(scored, maps).Succeeded(out var kept, out problem))
            return problem;
        return new[] { kept };
    }

    private async Task<Outcome<InferredImage[]>> ScoreManyAsync(
        PartModels models,
        IAsyncEnumerable<RequestFile> files,
        HeldMaps? maps,
        PartHeaders part,
        HttpContext context,
        CancellationToken cancellationToken
    )
    {
        var hasFailed = false;
        var names = new BatchHeaders(part.Station, part.Lot, part.Inspection);
        var scored = await batches.ScoreAsync(
            models,
            file => names.Identify(context, file.FileName),
            files.TakeWhile(_ => !Volatile.Read(ref hasFailed)),
            Details,
            (_, outcome) =>
            {
                var image = outcome.Succeeded(out var found, out var problem) ? Keep(found, maps) : problem;
                if (image.Problem is not null)
                    Volatile.Write(ref hasFailed, true);
                return image;
            },
            cancellationToken
        );
        if (!scored.Succeeded(out var items, out var refused))
            return refused;
        var images = new InferredImage[items.Length];
        for (var i = 0; i < items.Length; i++)
            if (!items[i].Succeeded(out images[i]!, out var problem))
                return problem with { Detail = $"Image {i} of the tensor: {problem.Detail}" };
        return images;
    }

    private static Outcome<InferredImage> Keep(ScoredMap scored, HeldMaps? maps) =>
        maps?.TryAdd(scored.Map.Values.Length) == false
            ? Problems.QueueFull("maps are being sent")
            : new InferredImage(scored.Response, maps is null ? null : scored.Map);

    /// <summary>Counts the memory of the maps of one request. Thread-safe.</summary>
    private sealed class HeldMaps
    {
        private readonly BodyMemory.Lease _lease;
        private readonly Lock _gate = new();
        private long _bytes;

        public HeldMaps(BodyMemory memory, HttpContext context)
        {
            _lease = memory.Start();
            context.Response.RegisterForDispose(_lease);
        }

        public bool TryAdd(int values)
        {
            lock (_gate)
                return _lease.TryGrow(_bytes += values * (long)sizeof(float));
        }
    }
}
