using System.Runtime.CompilerServices;
using System.Text.Json;

namespace PaDiM.Client;

/// <summary>Jobs: fits, evaluations and lookbacks in the background.</summary>
public sealed class JobsClient
{
    private readonly Connection _connection;
    private readonly TimeProvider _time;

    internal JobsClient(Connection connection, TimeProvider time)
    {
        _connection = connection;
        _time = time;
    }

    /// <summary>Lists jobs, newest first. Pages are read as the list is gone through.</summary>
    /// <param name="category">Only of this category; null for all.</param>
    /// <param name="state">Only in this state; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<JobResponse> ListAsync(
        string? category = null,
        JobState? state = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.ListAsync(
            () => new Query("jobs").With("category", category).With("state", state),
            PadimJson.Default.JobResponsePage,
            page => (page.Items, page.NextCursor),
            cancellationToken
        );

    /// <summary>Gets a job.</summary>
    /// <param name="id">Identifier of the job.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<JobResponse> GetAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(new Query("jobs", id), PadimJson.Default.JobResponse, cancellationToken);

    /// <summary>Cancels a job. A running one stops at its next step and publishes nothing.</summary>
    /// <param name="id">Identifier of the job.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<JobResponse> CancelAsync(string id, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Delete,
            new Query("jobs", id),
            PadimJson.Default.JobResponse,
            isRepeatable: true,
            cancellationToken
        );

    /// <summary>
    /// Follows a job: it comes as it is now, then every time that it changes, and last when it is final. A connection
    /// that is lost is opened again.
    /// </summary>
    /// <param name="id">Identifier of the job.</param>
    /// <param name="cancellationToken">Stops following; the job goes on.</param>
    /// <exception cref="PadimException">The service refuses, or has not been reached for minutes.</exception>
    public async IAsyncEnumerable<JobResponse> FollowAsync(
        string id,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var events = new JobEvents(_connection, _time, id);
        await using (events.ConfigureAwait(false))
            while (true)
            {
                var data = await events.ReadAsync(cancellationToken).ConfigureAwait(false);
                var job = JsonSerializer.Deserialize(data, PadimJson.Default.JobResponse)!;
                yield return job;
                if (job.IsFinal)
                    yield break;
            }
    }

    /// <summary>Waits until a job has succeeded.</summary>
    /// <param name="id">Identifier of the job.</param>
    /// <param name="progress">Told of every change; null for none.</param>
    /// <param name="cancellationToken">Stops waiting; the job goes on.</param>
    /// <returns>The job, which has succeeded.</returns>
    /// <exception cref="PadimException">The job failed, with the code of its error, or was cancelled.</exception>
    public async Task<JobResponse> WaitAsync(
        string id,
        IProgress<JobResponse>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        var last = new JobResponse();
        await foreach (var job in FollowAsync(id, cancellationToken).ConfigureAwait(false))
        {
            last = job;
            progress?.Report(job);
        }
        return last.State == JobState.Succeeded ? last
            : last.State == JobState.Cancelled
                ? throw new PadimException(PadimErrorCodes.JobCancelled, null, $"The job {id} was cancelled.")
            : throw new PadimException(last.Error?.Code ?? "", null, last.Error?.Detail ?? $"The job {id} failed.");
    }
}
