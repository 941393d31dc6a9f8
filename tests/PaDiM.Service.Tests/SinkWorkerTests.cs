using System.Net.Http.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using PaDiM.Service.Data;
using PaDiM.Service.Scoring;
using PaDiM.Service.Sinks;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>Queue, back-off, circuit and dead letters of one sink, by a clock that only the test moves.</summary>
public class SinkWorkerTests(SharedService shared) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Target _target = new();
    private readonly string _name = shared.NewName();
    private DeadLetterStore _letters = null!;
    private SinkWorker _worker = null!;

    public async ValueTask InitializeAsync()
    {
        // The row that the letters refer to. The service's own worker of this name has nothing to send.
        var sink = new { enabled = false, folder = new { } };
        await (await shared.Http.PutAsJsonAsync($"/v1/sinks/{_name}", sink)).JsonAsync(201);
        _letters = shared.Service.Get<DeadLetterStore>();
    }

    public async ValueTask DisposeAsync()
    {
        _target.Answer = _ => Task.CompletedTask;
        if (_worker is not null)
            await _worker.DeleteAsync();
        Assert.Equal(204, (int)(await shared.Http.DeleteAsync($"/v1/sinks/{_name}")).StatusCode);
    }

    [Fact]
    public async Task Attempts_are_repeated_ever_more_slowly()
    {
        Start();
        _target.Answer = attempt => attempt < 4 ? throw new DeliveryException("away") : Task.CompletedTask;
        Offer("a");
        await _target.HasAsync(1);
        // The first delay is half a second on average, with jitter: below 1.5 s in any case.
        foreach (var attempts in new[] { 2, 3 })
        {
            await AdvanceUntilAsync(() => _target.Sent.Count == attempts, TimeSpan.FromSeconds(0.25));
            Assert.Equal(0, _worker.Delivery.Delivered);
        }
        await AdvanceUntilAsync(() => _worker.Delivery.Delivered == 1, TimeSpan.FromSeconds(0.25));
        Assert.Equal(4, _target.Sent.Count);
        Assert.Equal((0, null), (_worker.Delivery.Failed, _worker.Delivery.Error));
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Nothing_is_sent_before_its_delay_has_passed()
    {
        Start();
        _target.Answer = _ => throw new DeliveryException("away") { RetryAfter = TimeSpan.FromSeconds(20) };
        Offer("a");
        await _target.HasAsync(1);
        await Eventually.TrueAsync(() => Task.FromResult(_worker.Queue.Count == 0), () => "");
        for (var i = 0; i < 19; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(_target.Sent);
        await AdvanceUntilAsync(() => _target.Sent.Count == 2, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_circuit_that_is_open_keeps_what_comes_without_an_attempt()
    {
        Start();
        _target.Answer = _ => throw new DeliveryException("away");
        Offer("0");
        Offer("1");
        await AdvanceUntilAsync(() => _worker.Delivery.Failed == 2, TimeSpan.FromSeconds(0.5));
        var before = _target.Sent.Count;
        Assert.Equal((10, SinkCircuit.Open), (before, _worker.Delivery.Circuit));
        for (var i = 2; i <= 250; i++)
            Offer($"{i}");
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 251, () => "Letters are missing.");
        Assert.Equal(before, _target.Sent.Count);
        Assert.All(
            await ListAsync(),
            letter => Assert.Equal(("away", DeadLetterState.Waiting), (letter.Error, letter.State))
        );
        Assert.Equal(0, _worker.Dropped);

        // The receiver is back: the letters follow by themselves, in order, and nothing twice.
        _target.Answer = _ => Task.CompletedTask;
        _target.Sent.Clear();
        await AdvanceUntilAsync(() => _worker.Delivery.Delivered == 251, TimeSpan.FromSeconds(5));
        Assert.Equal(Enumerable.Range(0, 251).Select(i => $"{i}"), _target.Sent.Select(sent => sent.Inspection.Id));
        Assert.All(_target.Sent, sent => Assert.True(sent.IsLate));
        Assert.Equal(SinkCircuit.Closed, _worker.Delivery.Circuit);
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 0, () => "Letters are left.");
    }

    [Fact]
    public async Task A_receiver_that_hangs_opens_the_circuit_too()
    {
        Start();
        _target.Hangs = true;
        Offer("a");
        Offer("b");
        await AdvanceUntilAsync(() => _worker.Delivery.Failed == 2, TimeSpan.FromSeconds(1));
        Assert.Equal(SinkCircuit.Open, _worker.Delivery.Circuit);
        Assert.Contains("5 s", _worker.Delivery.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_queue_drops_the_oldest_and_counts_them()
    {
        var gate = new TaskCompletionSource();
        Start(new SinkOptions { SinkQueueCapacity = 3 });
        _target.Answer = _ => gate.Task;
        Offer("first");
        await _target.HasAsync(1);
        for (var i = 0; i < 10; i++)
            Offer($"{i}");
        Assert.Equal((3, 7, 0), (_worker.Queue.Count, _worker.Dropped, _worker.Delivery.Delivered));
        gate.SetResult();
        await Eventually.TrueAsync(() => Task.FromResult(_worker.Delivery.Delivered == 4), () => "Not delivered.");
        Assert.Equal(["first", "7", "8", "9"], _target.Sent.Select(sent => sent.Inspection.Id));
    }

    [Fact]
    public async Task Images_beyond_their_memory_are_left_out_and_counted()
    {
        var gate = new TaskCompletionSource();
        Start(new SinkOptions { SinkQueueCapacity = 3, SinkImageBytes = 7 }, new FolderRequest { Images = true });
        _target.Answer = _ => gate.Task;
        Offer("first");
        await _target.HasAsync(1);
        // Two images of three bytes fit; the dropped ones give their memory back.
        for (var i = 0; i < 5; i++)
            Offer($"{i}");
        gate.SetResult();
        await Eventually.TrueAsync(() => Task.FromResult(_worker.Delivery.Delivered == 4), () => "Not delivered.");
        Assert.Equal(
            [("first", true), ("2", false), ("3", false), ("4", true)],
            _target.Sent.Select(sent => (sent.Inspection.Id, sent.Image is not null))
        );
        Assert.Equal((2, 3), (_worker.Dropped, _worker.Queue.ImagesDropped));
        Offer("last");
        await _target.HasAsync(5);
        Assert.NotNull(_target.Sent.Last().Image);
    }

    [Fact]
    public async Task The_oldest_letters_are_dropped_and_counted()
    {
        Start(new SinkOptions { SinkDeadLetters = 3 });
        _target.Answer = _ => throw new DeliveryException("no", isRefused: true);
        for (var i = 0; i < 5; i++)
            Offer($"{i}");
        await Eventually.TrueAsync(() => Task.FromResult(_worker.Dropped == 2), () => $"{_worker.Dropped}");
        Assert.Equal(["2", "3", "4"], (await ListAsync()).Select(letter => letter.Inspection.Id));
        Assert.Equal((5, 5), (_target.Sent.Count, _worker.Delivery.Failed));
    }

    [Fact]
    public async Task Whatever_a_library_throws_is_a_failed_delivery()
    {
        Start();
        _target.Answer = attempt =>
            attempt == 1 ? throw new NotSupportedException("odd")
            : attempt == 2 ? Task.FromCanceled(new(true))
            : Task.CompletedTask;
        Offer("a");
        await AdvanceUntilAsync(() => _worker.Delivery.Delivered == 1, TimeSpan.FromSeconds(0.5));
        Assert.Equal(3, _target.Sent.Count);
    }

    [Fact]
    public async Task The_stop_sends_what_it_can_and_keeps_the_rest()
    {
        Start();
        var gate = new TaskCompletionSource();
        _target.Answer = _ => gate.Task;
        for (var i = 0; i < 3; i++)
            Offer($"{i}");
        await _target.HasAsync(1);
        var stopped = _worker.StopAsync(TimeSpan.FromSeconds(5));
        gate.SetResult();
        await stopped;
        Assert.Equal((3, 3), (_target.Sent.Count, _worker.Delivery.Delivered));

        Start();
        _target.Hangs = true;
        for (var i = 3; i < 6; i++)
            Offer($"{i}");
        await _target.HasAsync(4);
        stopped = _worker.StopAsync(TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(5));
        await stopped;
        _worker = null!;
        Assert.Equal(["3", "4", "5"], (await ListAsync()).Select(letter => letter.Inspection.Id));
    }

    [Fact]
    public async Task Two_replicas_do_not_send_the_same_letters()
    {
        Start();
        _target.Answer = _ => throw new DeliveryException("no", isRefused: true);
        for (var i = 0; i < 4; i++)
            Offer($"{i}");
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 4, () => "Letters are missing.");
        await _letters.ReleaseAsync(_name, null, default);
        var mine = await _letters.ClaimAsync(_name, 3, default);
        await using var others = await _letters.ClaimAsync(_name, 100, default);
        Assert.Equal((3, 1), (mine.Letters.Count, others.Letters.Count));
        await mine.DisposeAsync();
        await using var again = await _letters.ClaimAsync(_name, 100, default);
        Assert.Equal(["0", "1", "2"], again.Letters.Select(letter => letter.Inspection.Id));
    }

    [Fact]
    public async Task A_claim_of_a_clock_that_was_wrong_does_not_last()
    {
        Start();
        _target.Answer = _ => throw new DeliveryException("no", isRefused: true);
        Offer("a");
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 1, () => "The letter is missing.");
        await _letters.ReleaseAsync(_name, null, default);
        // Of a process that was killed while its clock was a year ahead.
        var wrong = new FakeTimeProvider(DateTimeOffset.UtcNow.AddYears(1));
        var lost = await new DeadLetterStore(
            shared.Service.Get<Microsoft.EntityFrameworkCore.IDbContextFactory<PadimDbContext>>(),
            wrong
        ).ClaimAsync(_name, 10, default);
        Assert.Single(lost.Letters);
        await using var again = await _letters.ClaimAsync(_name, 10, default);
        Assert.Single(again.Letters);
    }

    [Fact]
    public async Task Letters_of_a_slow_receiver_stay_with_the_replica_that_sends_them()
    {
        Start();
        _target.Answer = _ => throw new DeliveryException("no", isRefused: true);
        for (var i = 0; i < 6; i++)
            Offer($"{i}");
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 6, () => "Letters are missing.");
        await _letters.ReleaseAsync(_name, null, default);
        _target.Sent.Clear();
        var others = CreateStore();
        var taken = new System.Collections.Concurrent.ConcurrentQueue<int>();
        _target.Answer = async _ =>
        {
            _time.Advance(DeadLetterStore.ClaimTime / 2.5);
            await using var claim = await others.ClaimAsync(_name, 100, default);
            taken.Enqueue(claim.Letters.Count);
        };
        _worker.Resend();
        await _target.HasAsync(6);
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 0, () => "Letters are left.");
        Assert.Equal([0, 0, 0, 0, 0, 0], taken);
        Assert.Equal(["0", "1", "2", "3", "4", "5"], _target.Sent.Select(sent => sent.Inspection.Id));
    }

    private void Offer(string id) => _worker.Offer(Make(id), [1, 2, 3]);

    private void Start(SinkOptions? options = null, FolderRequest? folder = null) =>
        _worker = new SinkWorker(
            new SinkDefinition(_name, new SinkRequest { TimeoutSeconds = 5, Folder = folder }, new SinkSecrets(), "1"),
            _target,
            options ?? new SinkOptions(),
            CreateStore(),
            new SinkMetrics(Meters.Create(), Options.Create(new SinkOptions())),
            _time,
            NullLogger.Instance
        );

    /// <summary>The letters, by the clock of the test.</summary>
    private DeadLetterStore CreateStore() =>
        new(shared.Service.Get<Microsoft.EntityFrameworkCore.IDbContextFactory<PadimDbContext>>(), _time);

    private async Task<IReadOnlyList<DeadLetterResponse>> ListAsync() =>
        (await _letters.ListAsync(_name, new Http.PageRequest(1000, ""), default)).Items;

    /// <summary>Lets time pass in steps, with a moment between them for the work that they wake.</summary>
    private Task AdvanceUntilAsync(Func<bool> condition, TimeSpan step) =>
        Eventually.TrueAsync(
            () =>
            {
                if (condition())
                    return Task.FromResult(true);
                _time.Advance(step);
                return Task.FromResult(false);
            },
            () =>
                $"{_target.Sent.Count} sent, {_worker.Delivery.Delivered} delivered, {_worker.Delivery.Failed} failed, {_worker.Delivery.Circuit}"
        );

    private static Inspection Make(string id) =>
        new(
            id,
            "part",
            "SN-1",
            null,
            null,
            new DateTime(2026, 11, 30, 12, 0, 0, DateTimeKind.Utc),
            Decision.Anomalous,
            31.5,
            20,
            0.01,
            "part",
            1,
            0,
            false,
            [],
            [],
            new ScoredImage(64, 64, new string('a', 64)),
            new Timings(0, 1, 2, 3, 4, 10),
            "line-a"
        );

    /// <summary>A receiver that does what a test says.</summary>
    private sealed class Target : SinkTarget
    {
        private readonly Lock _gate = new();
        private int _attempts;

        public Func<int, Task> Answer { get; set; } = _ => Task.CompletedTask;

        public bool Hangs { get; set; }

        public System.Collections.Concurrent.ConcurrentQueue<SinkMessage> Sent { get; } = new();

        public override async Task<string> SendAsync(SinkMessage message, CancellationToken cancellationToken)
        {
            int attempt;
            lock (_gate)
                attempt = ++_attempts;
            Sent.Enqueue(message);
            if (Hangs)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            await Answer(attempt);
            return "taken";
        }

        public Task HasAsync(int count) =>
            Eventually.TrueAsync(() => Task.FromResult(Sent.Count >= count), () => $"{Sent.Count} of {count} sent");
    }
}
