using Microsoft.Extensions.Logging.Abstractions;
using PaDiM.Engine.Files;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Objects;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.Service.TestSupport.S3;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Objects;

/// <summary>What every store of objects does, on whatever it stands.</summary>
public abstract class ObjectStoreTests : IDisposable
{
    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];
    private readonly TempDirectory _folder = new();

    protected string Folder => _folder.Path;

    [Fact]
    public async Task What_was_put_is_read_found_and_listed()
    {
        var store = await OpenAsync();
        var sha256 = FileHash.Compute(Bytes);
        for (var i = 0; i < 130; i++)
            await store.PutAsync($"images/{i:d3}/{sha256}", Bytes, sha256, default);
        await store.PutAsync("models/a", Bytes, sha256, default);

        Assert.Equal(Bytes, await store.ReadAsync($"images/007/{sha256}", default));
        Assert.Equal(5, (await store.FindAsync($"images/007/{sha256}", default))!.Length);
        var listed = await store.ListAsync("images/", default).ToListAsync();
        Assert.Equal(130, listed.Select(found => found.Key).Distinct().Count());
        Assert.All(listed, found => Assert.Equal(5, found.Length));
        // Within the second that stores count in, and the time of a request.
        Assert.All(
            listed,
            found => Assert.InRange(found.PutAt, DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow.AddSeconds(5))
        );

        await store.DeleteAsync($"images/007/{sha256}", default);
        await store.DeleteAsync($"images/007/{sha256}", default);
        Assert.Null(await store.FindAsync($"images/007/{sha256}", default));
    }

    [Fact]
    public async Task A_missing_object_is_a_missing_file()
    {
        var store = await OpenAsync();
        Assert.Null(await store.FindAsync("images/ab/abcd", default));
        Assert.False(await store.RenewAsync("images/ab/abcd", default));
        await Assert.ThrowsAsync<FileNotFoundException>(async () => await store.ReadAsync("images/ab/abcd", default));
        await Assert.ThrowsAsync<FileNotFoundException>(async () => await store.OpenAsync("images/ab/abcd", default));
        await Assert.ThrowsAsync<FileNotFoundException>(async () =>
            await store.OpenFileAsync("models/a/b", new string('0', 64), default)
        );
        await Assert.ThrowsAsync<FileNotFoundException>(async () =>
            await store.OpenFileAsync("models/a/b", null, default)
        );
    }

    [Theory]
    [InlineData(3 << 20)]
    [InlineData((64 << 20) + 17)]
    public async Task A_large_object_comes_back_by_its_hash_and_without(int length)
    {
        var store = await OpenAsync();
        var content = new byte[length];
        new Random(1).NextBytes(content);
        var (bytes, sha256) = await store.WriteAsync(
            "models/a/b",
            stream => WriteAsync(stream, content),
            false,
            default
        );
        Assert.Equal((length, FileHash.Compute(content)), (bytes, sha256));

        var other = await OpenAsync();
        foreach (var hash in new[] { sha256, null })
            await using (var file = await other.OpenFileAsync("models/a/b", hash, default))
                Assert.Equal(sha256, FileHash.Compute(file));
        await using var stream = await other.OpenAsync("models/a/b", default);
        Assert.Equal(length, stream.Length);
        Assert.Equal(sha256, FileHash.Compute(stream));
    }

    [Fact]
    public async Task A_writer_that_fails_stores_nothing()
    {
        var store = await OpenAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await store.WriteAsync(
                "models/a/b",
                async stream =>
                {
                    await stream.WriteAsync(new byte[100]);
                    throw new InvalidOperationException();
                },
                false,
                default
            )
        );
        Assert.Null(await store.FindAsync("models/a/b", default));
        Assert.Empty(Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_sweep_deletes_what_is_old_and_not_referred_to()
    {
        var store = await OpenAsync();
        foreach (var key in new[] { "images/aa/1", "images/aa/2", "images/aa/3" })
            await store.PutAsync(key, Bytes, FileHash.Compute(Bytes), default);
        if (!Age(TimeSpan.FromHours(1)))
            return;
        await store.RenewAsync("images/aa/2", default);

        var removed = await store.SweepAsync(
            ["images/aa/1", "images/aa/2", "images/aa/3", "images/aa/none"],
            DateTime.UtcNow.AddMinutes(-5),
            _ => Task.FromResult<Predicate<string>>(key => key == "images/aa/3"),
            default
        );

        var left = await store.ListAsync("images/", default).Select(found => found.Key).ToListAsync();
        Assert.Equal(["images/aa/2", "images/aa/3"], left.Order(StringComparer.Ordinal));
        Assert.InRange(removed, 1, 2);
    }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens the store, with an empty cache.</summary>
    private protected abstract Task<IObjectStore> OpenAsync();

    /// <summary>Makes all objects older. Returns false where that is not possible.</summary>
    protected abstract bool Age(TimeSpan by);

    private protected async Task<IObjectStore> OpenAsync(string url, string prefix)
    {
        var store = new S3Objects(
            new ObjectOptions
            {
                S3 = new S3Options
                {
                    Endpoint = url,
                    Bucket = FakeS3.Bucket,
                    Prefix = prefix,
                    AccessKeyId = "test-key",
                    SecretAccessKey = "test-secret",
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

    private static async Task WriteAsync(Stream stream, byte[] content)
    {
        foreach (var piece in content.Chunk(1 << 20))
            await stream.WriteAsync(piece);
    }
}

public sealed class DiskObjectsTests : ObjectStoreTests
{
    private protected override Task<IObjectStore> OpenAsync() =>
        Task.FromResult<IObjectStore>(new DiskObjects(Folder, TimeProvider.System));

    protected override bool Age(TimeSpan by)
    {
        foreach (var file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow - by);
        return true;
    }
}

public sealed class FakeS3ObjectsTests : ObjectStoreTests, IAsyncLifetime
{
    private FakeS3 _server = null!;

    public async ValueTask InitializeAsync() => _server = await FakeS3.StartAsync();

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private protected override Task<IObjectStore> OpenAsync() => OpenAsync(_server.Url, "some/prefix");

    protected override bool Age(TimeSpan by)
    {
        _server.Age(by);
        return true;
    }
}

/// <summary>A real server, of which the tests start one.</summary>
public sealed class CephFixture : IAsyncLifetime
{
    private CephGateway? _gateway;

    internal CephGateway Gateway
    {
        get
        {
            Assert.SkipWhen(
                _gateway is null,
                "Debian's Ceph gateway is not installed, or the tests do not run as root."
            );
            return _gateway;
        }
    }

    public async ValueTask InitializeAsync() =>
        _gateway = CephGateway.IsInstalled ? await CephGateway.StartAsync() : null;

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
            await _gateway.DisposeAsync();
    }
}

public sealed class CephObjectsTests(CephFixture fixture) : ObjectStoreTests, IClassFixture<CephFixture>
{
    private readonly string _prefix = $"{Guid.NewGuid():n}";

    [Fact]
    public async Task A_renewed_object_is_new_and_keeps_its_hash()
    {
        var store = await OpenAsync();
        await store.PutAsync("images/ab/abcd", new byte[] { 1 }, "abcd", default);
        var before = (await store.FindAsync("images/ab/abcd", default))!;
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        Assert.True(await store.RenewAsync("images/ab/abcd", default));
        var after = (await store.FindAsync("images/ab/abcd", default))!;
        Assert.True(after.PutAt > before.PutAt);
        Assert.Equal("abcd", after.Sha256);
    }

    [Fact]
    public async Task One_of_many_writers_of_a_new_object_wins()
    {
        var stores = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OpenAsync()));
        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(async i =>
                {
                    try
                    {
                        await stores[i % 4]
                            .WriteAsync(
                                "models/a/b",
                                stream => stream.WriteAsync(new[] { (byte)i }).AsTask(),
                                false,
                                default
                            );
                        return true;
                    }
                    catch (IOException)
                    {
                        return false;
                    }
                })
        );
        Assert.Single(results, won => won);
    }

    [Fact]
    public async Task The_whole_service_works_with_it()
    {
        double score;
        await using (var service = await RunningService.StartAsync(Folder, fixture.Gateway.GetOptions(_prefix)))
        {
            await service.Category("part").CreateFittedAsync(2);
            score = (await service.Category("part").ScoreAsync(Parts.Bad(1))).Number("score");
        }
        Directory.Delete(Path.Combine(Folder, "copies"), recursive: true);
        await using var next = await RunningService.StartAsync(Folder, fixture.Gateway.GetOptions(_prefix));
        Assert.Equal(score, (await next.Category("part").ScoreAsync(Parts.Bad(1))).Number("score"));
        Assert.True((await next.Get<Scrub>().RunAsync(null, default)).IsClean());
    }

    private protected override Task<IObjectStore> OpenAsync() => OpenAsync(fixture.Gateway.Url, _prefix);

    protected override bool Age(TimeSpan by) => false;
}
