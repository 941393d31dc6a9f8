using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Data;
using PaDiM.Service.Jobs;
using PaDiM.Service.Models;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The queue as workers see it, on a clock that the test sets.</summary>
public class JobStoreTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private readonly ManualTime _time = new();
    private RunningService _service = null!;
    private JobStore _store = null!;
    private IJobLeases _leases = null!;

    private protected virtual Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        Task.FromResult<(string Option, object Value)[]>([]);

    /// <summary>How long a process that has just started waits before it takes over a job whose lease has ended.</summary>
    protected virtual TimeSpan Caution => TimeSpan.FromSeconds(10);

    /// <summary>Lets time pass by the clock that leases go by.</summary>
    internal virtual Task PassAsync(IDbContextFactory<PadimDbContext> contexts, TimeSpan by)
    {
        _time.Advance(by);
        return Task.CompletedTask;
    }

    internal virtual IJobLeases CreateLeases(
        IDbContextFactory<PadimDbContext> contexts,
        IOptions<JobOptions> options,
        TimeProvider time
    ) => new WatchedLeases(contexts, options, time);

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(
            _data.Path,
            [("JobWorkers", 0), ("JobLeaseSeconds", 30), .. await CreateDatabaseAsync()]
        );
        foreach (var name in new[] { "a", "b" })
            await _service.Category(name).CreateAsync();
        _store = new JobStore(
            _service.Get<IDbContextFactory<PadimDbContext>>(),
            _service.Get<JobSignal>(),
            _service.Get<IOptions<JobOptions>>(),
            _time
        );
        _leases = CreateLeases();
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task A_worker_that_was_taken_for_dead_can_change_nothing_any_more()
    {
        var category = _service.Category("a");
        await category.UploadPartsAsync(0, 2);
        var id = await category.StartFitAsync();
        var zombie = LeaseOf(await _leases.ClaimAsync("zombie", default));
        Assert.Equal(
            LeaseState.Held,
            await _leases.RenewAsync(zombie, new JobProgress("embedding", 0.5, null), default)
        );
        Assert.Null(await _leases.ClaimAsync("other", default));

        await PassAsync(TimeSpan.FromSeconds(31));
        var taken = await _leases.ClaimAsync("other", default);
        Assert.Equal((id, 2, "other"), (taken!.Id, taken.Attempts, taken.LeasedBy));

        Assert.Equal(
            LeaseState.Lost,
            await _leases.RenewAsync(zombie, new JobProgress("embedding", 0.9, null), default)
        );
        await _store.FinishAsync(zombie, JobState.Failed, new UserFault("x", "y"), default);
        await _store.ReleaseAsync(zombie, default);
        Assert.Equal(JobState.Running, (await JobAsync(id)).State);

        var models = _service.Get<ModelStore>();
        var model = await ModelAsync();
        Assert.Null(
            await models.PublishAsync("a", "zombie.safetensors", model, activate: true, shadow: false, zombie, default)
        );
        Assert.False(File.Exists(Path.Combine(_service.Get<DataDirectory>().Models, "a", "zombie.safetensors")));
        Assert.Empty((await _service.Http.GetJsonAsync("/v1/categories/a/models")).Items());

        Assert.Equal(
            1,
            (
                await models.PublishAsync(
                    "a",
                    "other.safetensors",
                    model,
                    activate: true,
                    shadow: false,
                    LeaseOf(taken),
                    default
                )
            )?.Version
        );
        Assert.Equal(JobState.Succeeded, (await JobAsync(id)).State);
        Assert.Null(
            await models.PublishAsync(
                "a",
                "twice.safetensors",
                model,
                activate: true,
                shadow: false,
                LeaseOf(taken),
                default
            )
        );
        Assert.Single((await _service.Http.GetJsonAsync("/v1/categories/a/models")).Items());
    }

    [Fact]
    public async Task A_job_that_is_never_heard_of_again_is_given_up_after_five_attempts()
    {
        var id = await EnqueueAsync("a");
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            Assert.Equal(attempt, (await _leases.ClaimAsync("w", default))!.Attempts);
            await PassAsync(TimeSpan.FromSeconds(31));
        }
        Assert.Null(await _leases.ClaimAsync("w", default));
        var job = await JobAsync(id);
        Assert.Equal((JobState.Failed, "job_abandoned"), (job.State, job.ErrorCode));
    }

    [Fact]
    public async Task A_category_has_one_running_job_and_others_do_not_wait_for_it()
    {
        var first = await EnqueueAsync("a");
        var second = await EnqueueAsync("a");
        var third = await EnqueueAsync("b");
        var running = await _leases.ClaimAsync("w", default);
        Assert.Equal(first, running!.Id);
        Assert.Equal(third, (await _leases.ClaimAsync("w", default))!.Id);
        Assert.Null(await _leases.ClaimAsync("w", default));
        await _store.FinishAsync(LeaseOf(running), JobState.Cancelled, null, default);
        Assert.Equal(second, (await _leases.ClaimAsync("w", default))!.Id);
    }

    [Fact]
    public async Task Workers_that_claim_at_once_get_one_job_each()
    {
        for (var k = 0; k < 12; k++)
            await EnqueueAsync($"free-{k}");
        var claimed = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(k => Task.Run(() => _leases.ClaimAsync($"w{k}", default)))
        );
        Assert.Equal(12, claimed.Select(job => job!.Id).Distinct().Count());
        Assert.All(claimed, job => Assert.Equal(1, job!.Attempts));
    }

    [Fact]
    public async Task Workers_that_claim_at_once_never_get_two_jobs_of_one_category()
    {
        for (var k = 0; k < 12; k++)
            await EnqueueAsync("a");
        var claimed = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(k => Task.Run(() => _leases.ClaimAsync($"w{k}", default)))
        );
        Assert.Single(claimed, job => job is not null);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_while_its_worker_gives_it_back_is_cancelled()
    {
        var id = await EnqueueAsync("a");
        var lease = LeaseOf(await _leases.ClaimAsync("w", default));
        Assert.True((await _store.CancelAsync(id, default)).Succeeded(out _, out _));
        Assert.Equal(
            LeaseState.CancelRequested,
            await _leases.RenewAsync(lease, new JobProgress(null, 0, null), default)
        );
        await _store.ReleaseAsync(lease, default);
        var claim = _leases.ClaimAsync("w", default);
        Assert.Same(claim, await Task.WhenAny(claim, Task.Delay(TimeSpan.FromSeconds(10))));
        Assert.Null(await claim);
        Assert.Equal(JobState.Cancelled, (await JobAsync(id)).State);
        Assert.NotNull((await JobAsync(id)).FinishedAt);
    }

    [Fact]
    public async Task The_cancelled_job_of_a_dead_worker_is_cancelled_when_its_lease_ends()
    {
        var id = await EnqueueAsync("a");
        await _leases.ClaimAsync("w", default);
        await _store.CancelAsync(id, default);
        await PassAsync(TimeSpan.FromSeconds(31));
        Assert.Null(await _leases.ClaimAsync("w", default));
        Assert.Equal(JobState.Cancelled, (await JobAsync(id)).State);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_jumps_takes_no_job_from_a_living_worker(int hours)
    {
        await EnqueueAsync("a");
        var lease = LeaseOf(await _leases.ClaimAsync("living", default));
        _time.Jump(TimeSpan.FromHours(hours));
        for (var beat = 0; beat < 120; beat++)
        {
            Assert.Null(await _leases.ClaimAsync("other", default));
            await PassAsync(TimeSpan.FromMilliseconds(500));
            Assert.Equal(
                LeaseState.Held,
                await _leases.RenewAsync(lease, new JobProgress("embedding", beat / 120.0, null), default)
            );
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_clock_that_jumps_keeps_no_job_from_the_next_worker(int hours)
    {
        var id = await EnqueueAsync("a");
        await _leases.ClaimAsync("dead", default);
        _time.Jump(TimeSpan.FromHours(hours));
        Assert.Null(await _leases.ClaimAsync("other", default));
        await PassAsync(TimeSpan.FromSeconds(31));
        Assert.Equal(id, (await _leases.ClaimAsync("other", default))?.Id);
    }

    [Fact]
    public async Task A_process_that_starts_after_a_lease_has_ended_waits_no_longer_than_it_must()
    {
        var id = await EnqueueAsync("a");
        await _leases.ClaimAsync("dead", default);
        await PassAsync(TimeSpan.FromSeconds(31));
        var next = CreateLeases();
        if (Caution > TimeSpan.Zero)
            Assert.Null(await next.ClaimAsync("next", default));
        await PassAsync(Caution);
        Assert.Equal(id, (await next.ClaimAsync("next", default))?.Id);
    }

    private Task PassAsync(TimeSpan by) => PassAsync(_service.Get<IDbContextFactory<PadimDbContext>>(), by);

    private IJobLeases CreateLeases() =>
        CreateLeases(_service.Get<IDbContextFactory<PadimDbContext>>(), _service.Get<IOptions<JobOptions>>(), _time);

    private static JobLease LeaseOf(Job? job) => new(job!.Id, job.Fence);

    private async Task<string> EnqueueAsync(string category)
    {
        Assert.True(
            (await _store.EnqueueAsync(JobKind.Fit, category, "{}", null, default)).Succeeded(out var job, out _)
        );
        return job.Id;
    }

    private async Task<Job> JobAsync(string id)
    {
        Assert.True((await _store.GetAsync(id, default)).Succeeded(out var job, out _));
        return job;
    }

    private async Task<Core.Models.PadimModel> ModelAsync()
    {
        var backbone = _service.Get<BackboneRegistry>().Open(BackboneRegistry.DefaultName);
        var settings = new Core.Models.FitSettings { ImageSize = 32, Dimensions = 4 };
        using var embeddings = new TempDirectory();
        var pipeline = new FitPipeline(
            backbone,
            settings,
            _service.Get<ImageDecoder>(),
            new EmbeddingStore(embeddings.Path, _time),
            Engine.ComputeContext.OnThreadPool(backbone.Runtime.Threads)
        );
        return await Task.Run(() =>
            pipeline.Run(
                [.. Enumerable.Range(0, 2).Select(k => new TrainingImage($"{k}", () => Parts.Good(k)))],
                null,
                null,
                null,
                default
            )
        );
    }
}
