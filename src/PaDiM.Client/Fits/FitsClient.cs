namespace PaDiM.Client;

/// <summary>Fits: models are made of the good parts of a category, in the background.</summary>
public sealed class FitsClient
{
    private readonly Connection _connection;
    private readonly JobsClient _jobs;

    internal FitsClient(Connection connection, JobsClient jobs)
    {
        _connection = connection;
        _jobs = jobs;
    }

    /// <summary>Starts a fit. Follow the job with <see cref="JobsClient"/>.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">How to fit; null for the defaults.</param>
    /// <param name="idempotencyKey">The same key and request start one job, however often they are sent; null for a
    /// new one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The job.</returns>
    public Task<JobResponse> StartAsync(
        string category,
        FitRequest? request = null,
        string? idempotencyKey = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.StartJobAsync(
            new Query("categories", category, "fits"),
            request ?? new FitRequest(),
            PadimJson.Default.FitRequest,
            idempotencyKey,
            cancellationToken
        );

    /// <summary>Fits, and waits for the model.</summary>
    /// <param name="category">Name of the category.</param>
    /// <param name="request">How to fit; null for the defaults.</param>
    /// <param name="progress">Told of every change of the job; null for none.</param>
    /// <param name="cancellationToken">Stops waiting; a fit that has begun goes on.</param>
    /// <returns>The model.</returns>
    /// <exception cref="PadimException">The fit was refused, failed or was cancelled.</exception>
    public async Task<ModelResponse> RunAsync(
        string category,
        FitRequest? request = null,
        IProgress<JobResponse>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        var job = await StartAsync(category, request, null, cancellationToken).ConfigureAwait(false);
        job = await _jobs.WaitAsync(job.Id, progress, cancellationToken).ConfigureAwait(false);
        return await _connection
            .GetAsync(
                new Query("categories", category, "models", Query.Number(job.ModelVersion ?? 0)),
                PadimJson.Default.ModelResponse,
                cancellationToken
            )
            .ConfigureAwait(false);
    }
}
