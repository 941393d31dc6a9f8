using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Jobs;

/// <summary><c>/v1/jobs</c>: get, follow and cancel jobs.</summary>
internal static class JobEndpoints
{
    private static readonly TimeSpan EventPoll = TimeSpan.FromMilliseconds(250),
        KeepAlive = TimeSpan.FromSeconds(15);

    public static void MapJobEndpoints(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/v1/jobs").Needs(AccessScope.Train).WithTags("Jobs");
        jobs.MapGet("", ListAsync)
            .WithName("ListJobs")
            .WithSummary("Lists jobs, newest first")
            .Produces<Page<JobResponse>>();
        jobs.MapGet("{id}", GetAsync)
            .WithName("GetJob")
            .WithSummary("Gets a job")
            .WithDescription(
                "The `error` of a failed job has one of the codes of this document, or "
                    + "`statistics_degenerate` (the images give no usable statistics), `embedding_not_finite` (the "
                    + "backbone cannot read an image), `embedding_lost` (fit again with `incremental: false`) or "
                    + "`job_abandoned` (started five times without finishing)."
            )
            .Produces<JobResponse>();
        jobs.MapDelete("{id}", CancelAsync)
            .Audited("job.cancel")
            .WithName("CancelJob")
            .WithSummary("Cancels a job")
            .WithDescription(
                "A queued job is cancelled at once; a running one stops at its next step and publishes nothing."
            )
            .Produces<JobResponse>(StatusCodes.Status202Accepted);
        jobs.MapGet("{id}/events", EventsAsync)
            .WithName("StreamJob")
            .WithSummary("Follows a job (server-sent events)")
            .WithDescription(
                "Sends an event named `job` every time the job changes, with the job as data. The stream "
                    + "ends when the job is final."
            )
            .Produces<string>(StatusCodes.Status200OK, "text/event-stream");
    }

    private static async Task<IResult> ListAsync(
        Caller caller,
        JobStore store,
        CancellationToken cancellationToken,
        string? category = null,
        Choice<JobState>? state = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (category is not null && !CategoryName.IsValid(category))
            return Problems.InvalidName(category);
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        return TypedResults.Ok(
            await store.ListAsync(caller.Categories, category, state?.Value, page, cancellationToken)
        );
    }

    private static async Task<IResult> GetAsync(
        string id,
        Caller caller,
        JobStore store,
        SuccessNotices notices,
        CancellationToken cancellationToken
    )
    {
        if (!(await FindAsync(id, caller, store, cancellationToken)).Succeeded(out var job, out var problem))
            return problem;
        await notices.PrepareAsync(job, cancellationToken);
        return TypedResults.Ok(JobResponse.From(job));
    }

    private static async Task<IResult> CancelAsync(
        string id,
        Caller caller,
        HttpContext context,
        JobStore store,
        CancellationToken cancellationToken
    )
    {
        if (!(await FindAsync(id, caller, store, cancellationToken)).Succeeded(out var found, out var problem))
            return problem;
        context.AddAuditDetail(
            new
            {
                found.Kind,
                Was = found.State,
                found.Progress,
            },
            found.Category
        );
        return (await store.CancelAsync(id, cancellationToken)).ToResult(job =>
            TypedResults.Accepted($"/v1/jobs/{job.Id}", JobResponse.From(job))
        );
    }

    private static async Task<IResult> EventsAsync(
        string id,
        Caller caller,
        JobStore store,
        SuccessNotices notices,
        EventStreams streams,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        HttpRequest request,
        HttpResponse response,
        CancellationToken cancellationToken
    )
    {
        if (!(await FindAsync(id, caller, store, cancellationToken)).Succeeded(out var job, out var problem))
            return problem;
        // HEAD asks for the headers, not for the events.
        if (HttpMethods.IsHead(request.Method))
            return TypedResults.ServerSentEvents(AsyncEnumerable.Empty<SseItem<JobResponse>>());
        if (streams.TryEnter() is not { } place)
            return Problems.QueueFull("clients are following jobs");
        response.RegisterForDispose(place);
        return TypedResults.ServerSentEvents(
            FollowAsync(job, store, notices, time, lifetime.ApplicationStopping, cancellationToken)
        );
    }

    /// <summary>Finds a job; one in a category that the caller may not see does not exist for the caller.</summary>
    private static async Task<Outcome<Job>> FindAsync(
        string id,
        Caller caller,
        JobStore store,
        CancellationToken cancellationToken
    ) =>
        (await store.GetAsync(id, cancellationToken)).Succeeded(out var job, out var problem)
            ? caller.MaySee(job.Category)
                ? job
                : Problems.JobNotFound(id)
            : problem;

    private static async IAsyncEnumerable<SseItem<JobResponse>> FollowAsync(
        Job job,
        JobStore store,
        SuccessNotices notices,
        TimeProvider time,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        JobResponse? last = null;
        for (var sentAt = time.GetTimestamp(); ; )
        {
            await notices.PrepareAsync(job, cancellationToken);
            var now = JobResponse.From(job);
            if (now != last || time.GetElapsedTime(sentAt) > KeepAlive)
            {
                last = now;
                sentAt = time.GetTimestamp();
                yield return new SseItem<JobResponse>(now, "job");
            }
            if (job.IsFinal || stopping.IsCancellationRequested)
                yield break;
            await Task.Delay(EventPoll, time, cancellationToken);
            if (!(await store.GetAsync(job.Id, cancellationToken)).Succeeded(out var next, out _))
                yield break;
            job = next;
        }
    }
}
