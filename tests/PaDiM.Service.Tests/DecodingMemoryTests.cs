using Microsoft.Extensions.Time.Testing;
using PaDiM.Service.Admission;

namespace PaDiM.Service.Tests;

/// <summary>The memory for decoding, where many large images come at once.</summary>
public sealed class DecodingMemoryTests
{
    private readonly ImageAdmission _admission = new(new AdmissionLimits(4, 16, 100), new FakeTimeProvider());

    [Fact]
    public async Task An_image_without_room_waits_until_there_is_some()
    {
        var first = await AcquireAsync(60);
        (await AcquireAsync(40)).Dispose();
        var second = AcquireAsync(60);
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task A_small_image_does_not_pass_a_large_one_that_waits()
    {
        var first = await AcquireAsync(60);
        var large = AcquireAsync(100);
        var small = AcquireAsync(1);
        Assert.False(large.IsCompleted || small.IsCompleted);
        first.Dispose();
        var second = await large;
        Assert.False(small.IsCompleted);
        second.Dispose();
        (await small).Dispose();
    }

    [Fact]
    public async Task An_image_that_needs_no_memory_passes_those_that_wait_for_it()
    {
        using var first = await AcquireAsync(60);
        var large = AcquireAsync(100);
        (await AcquireAsync(0)).Dispose();
        Assert.False(large.IsCompleted);
    }

    [Fact]
    public async Task An_image_of_the_line_passes_those_that_wait()
    {
        using var first = await AcquireAsync(60);
        var large = AcquireAsync(100);
        (await AcquireAsync(40, Priority.Line)).Dispose();
        Assert.False(large.IsCompleted);
    }

    [Fact]
    public async Task An_image_of_a_batch_does_not_pass_one_of_the_line()
    {
        var first = await AcquireAsync(60);
        var line = AcquireAsync(100, Priority.Line);
        var batch = AcquireAsync(1);
        Assert.False(line.IsCompleted || batch.IsCompleted);
        first.Dispose();
        (await line).Dispose();
        (await batch).Dispose();
    }

    [Fact]
    public async Task Jobs_have_memory_of_their_own()
    {
        using var requests = await AcquireAsync(100);
        var job = _admission.AcquireForJob(100);
        var other = AcquireAsync(1, Priority.Job);
        Assert.False(other.IsCompleted);
        job.Dispose();
        (await other).Dispose();
    }

    [Fact]
    public async Task Giving_up_a_turn_lets_the_next_one_in()
    {
        using var gone = new CancellationTokenSource();
        using var first = await AcquireAsync(60);
        var large = _admission.AcquireAsync(100, Priority.Batch, gone.Token).AsTask();
        var small = AcquireAsync(40);
        Assert.False(small.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small).Dispose();
    }

    [Fact]
    public async Task An_image_that_needs_more_than_there_is_is_decoded_by_itself()
    {
        for (var i = 0; i < 3; i++)
        {
            var all = await AcquireAsync(long.MaxValue);
            var next = AcquireAsync(1);
            Assert.False(next.IsCompleted);
            all.Dispose();
            (await next).Dispose();
        }
    }

    private Task<ImageLease> AcquireAsync(long bytes, Priority priority = Priority.Batch) =>
        _admission.AcquireAsync(bytes, priority, CancellationToken.None).AsTask();
}
