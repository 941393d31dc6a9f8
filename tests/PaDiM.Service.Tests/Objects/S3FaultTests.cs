using Microsoft.Extensions.Logging.Abstractions;
using PaDiM.Engine.Files;
using PaDiM.Service.Objects;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Objects;

/// <summary>A store in the network that is slow, refuses, breaks connections, or lists what was.</summary>
public sealed class S3FaultTests : IAsyncLifetime
{
    private const string Key = "images/ab/abcd";
    private readonly TempDirectory _folder = new();
    private readonly byte[] _bytes = new byte[300_000];
    private FakeS3 _server = null!;

    private string Sha256 => FileHash.Compute(_bytes);

    public async ValueTask InitializeAsync()
    {
        new Random(1).NextBytes(_bytes);
        _server = await FakeS3.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_download_that_breaks_off_continues_where_it_was()
    {
        var store = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        var cuts = 0;
        _server.Faults = request => request == $"GET {Key}" && ++cuts <= 3 ? new S3Fault { CutAfter = 50_000 } : null;
        Assert.Equal(_bytes, await store.ReadAsync(Key, default));
        Assert.Equal(4, _server.Count($"GET {Key}"));
    }

    [Fact]
    public async Task A_download_that_hangs_continues_on_another_connection()
    {
        var store = await OpenAsync(timeoutSeconds: 1);
        await store.PutAsync(Key, _bytes, Sha256, default);
        var hangs = 0;
        _server.Faults = request =>
            request == $"GET {Key}" && ++hangs == 1 ? new S3Fault { CutAfter = 50_000, Hang = true } : null;
        Assert.Equal(_bytes, await store.ReadAsync(Key, default));
    }

    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    [InlineData(429)]
    public async Task A_store_that_is_busy_for_a_moment_is_asked_again(int status)
    {
        var store = await OpenAsync();
        var failures = 0;
        _server.Faults = _ => ++failures <= 2 ? new S3Fault { Status = status } : null;
        await store.PutAsync(Key, _bytes, Sha256, default);
        failures = 0;
        Assert.Equal(_bytes, await store.ReadAsync(Key, default));
        failures = 0;
        Assert.Single(await store.ListAsync("images/", default).ToListAsync());
    }

    [Fact]
    public async Task A_store_that_is_away_is_no_missing_object()
    {
        var store = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Faults = _ => new S3Fault { Status = 503 };
        var away = await Assert.ThrowsAsync<ObjectStoreAwayException>(async () => await store.ReadAsync(Key, default));
        Assert.False(away.IsRefused);
        var asked = _server.Requests.Count;
        await Assert.ThrowsAsync<ObjectStoreAwayException>(async () => await store.FindAsync(Key, default));
        // Just after that, a call asks once, and the SDK once more.
        Assert.InRange(_server.Requests.Count - asked, 1, 2);
        _server.Faults = _ => null;
        Assert.Equal(_bytes, await store.ReadAsync(Key, default));
    }

    [Fact]
    public async Task A_store_without_a_connection_is_away()
    {
        var store = await OpenAsync();
        await _server.DisposeAsync();
        await Assert.ThrowsAsync<ObjectStoreAwayException>(async () => await store.FindAsync(Key, default));
        _server = await FakeS3.StartAsync();
    }

    [Fact]
    public async Task An_object_that_lost_its_bytes_is_empty()
    {
        var store = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Damage(Key, _ => []);
        Assert.Empty(await store.ReadAsync(Key, default));
    }

    [Fact]
    public async Task Settings_that_the_store_refuses_are_told_at_start()
    {
        var wrong = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(bucket: "another"));
        Assert.Contains("NoSuchBucket", wrong.Message, StringComparison.Ordinal);
        _server.Faults = _ => new S3Fault { Status = 403 };
        wrong = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync());
        Assert.Contains("credentials", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("test-secret", wrong.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData((64 << 20) + 1)]
    public async Task A_lost_answer_does_not_fail_what_was_stored(int length)
    {
        var store = await OpenAsync();
        var lost = 0;
        _server.Faults = request =>
            request.EndsWith("models/a/b", StringComparison.Ordinal) && request[0] == 'P' && ++lost % 2 == 1
                ? new S3Fault { IsAnswerLost = true }
                : null;
        await store.WriteAsync("models/a/b", stream => stream.WriteAsync(new byte[length]).AsTask(), false, default);
        Assert.Equal(length, _server.Get("models/a/b").Length);
    }

    [Fact]
    public async Task An_object_of_another_content_is_not_overwritten()
    {
        var store = await OpenAsync();
        await store.WriteAsync("models/a/b", stream => stream.WriteAsync(_bytes).AsTask(), false, default);
        await Assert.ThrowsAsync<IOException>(async () =>
            await store.WriteAsync(
                "models/a/b",
                stream => stream.WriteAsync(_bytes.AsMemory(1)).AsTask(),
                false,
                default
            )
        );
        Assert.Equal(_bytes, _server.Get("models/a/b"));
    }

    [Fact]
    public async Task Many_who_open_a_model_download_it_once()
    {
        await (await OpenAsync()).WriteAsync(
            "models/a/b",
            stream => stream.WriteAsync(_bytes).AsTask(),
            false,
            default
        );
        var store = await OpenAsync();
        var files = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => store.OpenFileAsync("models/a/b", Sha256, default).AsTask())
        );
        Assert.All(files, file => Assert.Equal(_bytes.Length, file.Length));
        Assert.Equal(1, _server.Count("GET models/a/b"));
        foreach (var file in files)
            await file.DisposeAsync();
    }

    [Fact]
    public async Task A_model_that_is_damaged_in_the_store_leaves_no_copy()
    {
        await (await OpenAsync()).WriteAsync(
            "models/a/b",
            stream => stream.WriteAsync(_bytes).AsTask(),
            false,
            default
        );
        _server.Damage("models/a/b", bytes => [.. bytes.Reverse()]);
        var store = await OpenAsync();
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
            await store.OpenFileAsync("models/a/b", Sha256, default)
        );
        Assert.False(store.DropCopy(Sha256));
        Assert.DoesNotContain(
            Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories),
            path => path.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_sweep_does_not_trust_an_old_listing()
    {
        var store = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Age(TimeSpan.FromHours(1));
        _server.StopListing();
        await store.PutAsync(Key, _bytes, Sha256, default);
        Assert.Single(await store.ListAsync("images/", default).ToListAsync());
        Assert.Equal(0, await SweepAsync(store));
        Assert.Equal(_bytes, _server.Get(Key));
    }

    [Fact]
    public async Task Bytes_that_come_again_while_they_are_deleted_are_put_again()
    {
        var store = await OpenAsync();
        var other = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Age(TimeSpan.FromHours(1));
        var deleting = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        _server.Faults = request =>
            request == $"DELETE {Key}"
                ? new S3Fault
                {
                    Wait = _ =>
                    {
                        deleting.TrySetResult();
                        return goOn.Task;
                    },
                }
                : null;
        var sweep = SweepAsync(store);
        await deleting.Task;
        var put = other.PutAsync(Key, _bytes, Sha256, default).AsTask();
        while (_server.Count("GET sweep.json") == 0)
            await Task.Delay(5);
        Assert.False(put.IsCompleted);
        goOn.SetResult();
        Assert.Equal(1, await sweep);
        await put;
        Assert.Equal(_bytes, _server.Get(Key));
        Assert.DoesNotContain("sweep.json", _server.GetKeys());
    }

    [Fact]
    public async Task Two_replicas_do_not_sweep_at_the_same_time()
    {
        var store = await OpenAsync();
        var other = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Age(TimeSpan.FromHours(1));
        var referenced = new TaskCompletionSource<Predicate<string>>();
        var first = SweepAsync(store, referenced.Task);
        while (!_server.GetKeys().Contains("sweep.json"))
            await Task.Delay(5);
        Assert.Equal(0, await SweepAsync(other));
        referenced.SetResult(_ => false);
        Assert.Equal(1, await first);
    }

    [Fact]
    public async Task The_mark_of_a_killed_replica_is_taken_away_after_a_while()
    {
        var store = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Age(TimeSpan.FromHours(1));
        _server.Faults = request =>
            request.StartsWith("DELETE", StringComparison.Ordinal) ? new S3Fault { Status = 503 } : null;
        await Assert.ThrowsAsync<ObjectStoreAwayException>(() => SweepAsync(store));
        Assert.Contains("sweep.json", _server.GetKeys());
        _server.Faults = _ => null;
        Assert.Equal(0, await SweepAsync(store));
        _server.Age(TimeSpan.FromMinutes(11));
        Assert.Equal(0, await SweepAsync(store));
        Assert.Equal(1, await SweepAsync(store));
    }

    [Fact]
    public async Task A_store_without_conditions_keeps_everything()
    {
        _server.IgnoresConditions = true;
        var store = await OpenAsync();
        await store.PutAsync(Key, _bytes, Sha256, default);
        _server.Age(TimeSpan.FromHours(1));
        Assert.Equal(0, await SweepAsync(store));
    }

    [Fact]
    public async Task Puts_and_sweeps_of_several_replicas_never_lose_an_object()
    {
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => OpenAsync()));
        for (var round = 0; round < 12; round++)
        {
            await replicas[0].PutAsync(Key, _bytes, Sha256, default);
            _server.Age(TimeSpan.FromHours(1));
            var sweeps = replicas.Select(replica => Task.Run(() => SweepAsync(replica))).ToArray();
            await Task.Run(async () => await replicas[round % 3].PutAsync(Key, _bytes, Sha256, default));
            // From here on, a row may refer to it.
            Assert.Contains(Key, _server.GetKeys());
            await Task.WhenAll(sweeps);
            Assert.Contains(Key, _server.GetKeys());
        }
    }

    private static async Task<int> SweepAsync(IObjectStore store, Task<Predicate<string>>? referenced = null) =>
        await store.SweepAsync(
            [Key],
            DateTime.UtcNow.AddMinutes(-5),
            _ => referenced ?? Task.FromResult<Predicate<string>>(_ => false),
            default
        );

    private async Task<IObjectStore> OpenAsync(string bucket = FakeS3.Bucket, int timeoutSeconds = 10)
    {
        var store = new S3Objects(
            new ObjectOptions
            {
                S3 = new S3Options
                {
                    Endpoint = _server.Url,
                    Bucket = bucket,
                    AccessKeyId = "test-key",
                    SecretAccessKey = "test-secret",
                    TimeoutSeconds = timeoutSeconds,
                },
            },
            _folder.Combine($"{Guid.NewGuid():n}"),
            Meters.Create(),
            TimeProvider.System,
            NullLogger<S3Objects>.Instance
        );
        await store.PrepareAsync(default);
        return store;
    }
}
