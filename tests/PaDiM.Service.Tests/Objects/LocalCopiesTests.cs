using Microsoft.Extensions.Time.Testing;
using PaDiM.Engine.Files;
using PaDiM.Service.Objects;
using PaDiM.TestSupport;

namespace PaDiM.Service.Tests.Objects;

public sealed class LocalCopiesTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private int _downloads;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_least_recently_used_copies_go_when_the_budget_is_spent()
    {
        var copies = Open(budget: 2500);
        await GetAsync(copies, 1);
        await GetAsync(copies, 2);
        await GetAsync(copies, 1);
        await GetAsync(copies, 3);
        Assert.Equal(3, _downloads);
        Assert.Equal(2000, copies.Bytes);
        await GetAsync(copies, 1);
        Assert.Equal(3, _downloads);
        await GetAsync(copies, 2);
        Assert.Equal(4, _downloads);
    }

    [Fact]
    public async Task Another_process_finds_the_copies_and_the_order_of_their_use()
    {
        var first = Open(budget: 10_000);
        await GetAsync(first, 1);
        await GetAsync(first, 2);
        await GetAsync(first, 1);
        File.WriteAllBytes(_folder.Combine("copy.tmp-1"), [1]);
        File.SetLastWriteTimeUtc(_folder.Combine("copy.tmp-1"), DateTime.UtcNow.AddDays(-1));

        var next = Open(budget: 1000);
        Assert.Equal([GetName(1)], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
        await GetAsync(next, 1);
        Assert.Equal(2, _downloads);
    }

    [Fact]
    public async Task A_copy_that_is_larger_than_the_budget_stays_until_the_next_one()
    {
        var copies = Open(budget: 10);
        await GetAsync(copies, 1);
        await GetAsync(copies, 1);
        Assert.Equal(1, _downloads);
        await GetAsync(copies, 2);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_copy_that_somebody_deleted_or_dropped_is_downloaded_again()
    {
        var copies = Open(budget: 10_000);
        await GetAsync(copies, 1);
        File.Delete(_folder.Combine(GetName(1)));
        await GetAsync(copies, 1);
        Assert.True(copies.Drop(GetName(1)));
        Assert.False(copies.Drop(GetName(1)));
        await GetAsync(copies, 1);
        Assert.Equal(3, _downloads);
    }

    [Fact]
    public async Task A_download_that_fails_is_tried_by_the_next_who_asks()
    {
        var copies = Open(budget: 10_000);
        await Assert.ThrowsAsync<IOException>(() =>
            copies.OpenAsync(GetName(1), _ => throw new IOException(), default)
        );
        await GetAsync(copies, 1);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_download_that_arrives_damaged_once_is_repeated()
    {
        var copies = Open(budget: 10_000);
        await using var file = await copies.OpenAsync(
            GetName(1),
            stream => stream.WriteAsync(_downloads++ == 0 ? new byte[10] : GetBytes(1)).AsTask(),
            default
        );
        Assert.Equal(1000, file.Length);
    }

    private LocalCopies Open(long budget) => new(_folder.Path, budget, _time);

    private async Task GetAsync(LocalCopies copies, byte number)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        await using var file = await copies.OpenAsync(
            GetName(number),
            stream =>
            {
                _downloads++;
                return stream.WriteAsync(GetBytes(number)).AsTask();
            },
            default
        );
        Assert.Equal(GetName(number), FileHash.Compute(file));
    }

    private static byte[] GetBytes(byte number) => [.. Enumerable.Repeat(number, 1000)];

    private static string GetName(byte number) => FileHash.Compute(GetBytes(number));
}
