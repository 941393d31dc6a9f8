using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Inspections;
using PaDiM.Service.Jobs;

namespace PaDiM.Service.Learning;

/// <summary><c>/v1/categories/{category}/learn</c>: adds good inspections to the training set.</summary>
internal static class LearnEndpoints
{
    public static void MapLearn(this RouteGroupBuilder category) =>
        category
            .MapPost("learn", LearnAsync)
            .Audited("learn")
            .WithTags("Learning")
            .WithName("Learn")
            .WithSummary("Learns good inspections, and fits a candidate")
            .WithDescription(
                "Copies the photographs of inspections with the verdict `good` into the training set and fits a candidate to "
                    + "it, incrementally. The candidate is not activated. Inspections that cannot be learnt are listed, the "
                    + "others are learnt; if none can, the answer is the problem of the first. Responds with 202 and the job "
                    + "if there is a fit, otherwise with 200."
            )
            .Produces<LearnResponse>()
            .Produces<LearnResponse>(StatusCodes.Status202Accepted);

    private static async Task<IResult> LearnAsync(
        string category,
        LearnRequest request,
        Caller caller,
        CategoryStore categories,
        InspectionStore inspections,
        LearntImages images,
        CandidateFits fits,
        DiskSpace space,
        HttpContext context,
        CancellationToken cancellationToken
    )
    {
        if (request.Validate() is { } invalid)
            return invalid;
        if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        var source = found.ImagesOf ?? category;
        if (!caller.MaySee(source))
            return Problems.CategoryForbidden(source);
        if (found.ActiveModelVersion is null)
            return Problems.ModelNotReady(category);

        var refused = new List<RefusedInspection>();
        var added = new List<LearntImage>();
        var duplicates = new List<LearntImage>();
        Problem? first = null;
        var more = false;
        if (request.Query is { } query)
        {
            (var rows, more) = await images.FindAsync(source, query, cancellationToken);
            foreach (var row in rows)
                await AddAsync(row);
        }
        foreach (var id in request.Ids?.Distinct(StringComparer.Ordinal) ?? [])
            if (
                (await inspections.GetAsync(id, source, only: null, cancellationToken)).Succeeded(
                    out var row,
                    out problem
                )
            )
                await AddAsync(row);
            else
                Refuse(id, problem);
        context.AddAuditDetail(new { added = added.ConvertAll(image => image.ImageId), refused = refused.Count });
        if (first is not null && added.Count + duplicates.Count == 0)
            return first with { Extra = refused };

        Job? job = null;
        Problem? notFitted = null;
        if (request.Fit && added.Count + duplicates.Count > 0)
            (
                await fits.StartAsync(
                    category,
                    [.. added.Concat(duplicates).Select(image => image.ImageId)],
                    request.Shadow,
                    cancellationToken
                )
            ).Succeeded(out job, out notFitted);
        var answer = new LearnResponse(
            added,
            duplicates,
            refused,
            more,
            job is null ? null : JobResponse.From(job),
            notFitted is null ? null : new JobError(notFitted.Code, notFitted.Detail)
        );
        return job is null ? TypedResults.Ok(answer) : TypedResults.Accepted($"/v1/jobs/{job.Id}", answer);

        async Task AddAsync(StoredInspection row)
        {
            if (space.ValidateFreeSpace() is { } full)
                Refuse(row.Id, full);
            else if ((await images.AddAsync(row, cancellationToken)).Succeeded(out var image, out var unusable))
                (image.Duplicate ? duplicates : added).Add(new LearntImage(row.Id, image.Id));
            else
                Refuse(row.Id, unusable);
        }

        void Refuse(string id, Problem why)
        {
            first ??= why;
            refused.Add(new RefusedInspection(id, why.Code, why.Detail));
        }
    }
}
