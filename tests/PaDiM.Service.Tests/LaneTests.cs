using System.Diagnostics;
using Microsoft.Extensions.Options;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Images;
using PaDiM.Service.Scoring;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The line goes first wherever images wait.</summary>
public sealed class LaneTests
{
    [Fact]
    public async Task Batches_hold_half_of_the_places_and_the_line_finds_the_others()
    {
        using var queue = new ScoreQueue(Options.Create(new AdmissionOptions { QueueCapacity = 4 }));
        var first = await queue.EnterAsync(CancellationToken.None);
        var second = await queue.EnterAsync(CancellationToken.None);
        var third = queue.EnterAsync(CancellationToken.None);
        Assert.False(third.IsCompleted);
        using (queue.TryEnter())
        using (queue.TryEnter())
        {
            Assert.True(queue.IsFull);
            Assert.Null(queue.TryEnter());
        }
        first.Dispose();
        (await third).Dispose();
        second.Dispose();
        Assert.False(queue.IsFull);
    }

    [Fact]
    public async Task A_job_pauses_before_an_image_while_the_line_is_at_work()
    {
        var gate = new DecodingGate();
        var alone = TimeOf(() => gate.GiveWay(CancellationToken.None));
        await gate.RunAsync(() => 0, isUrgent: true, CancellationToken.None);
        var beside = TimeOf(() => gate.GiveWay(CancellationToken.None));
        Assert.True(
            beside > TimeSpan.FromMilliseconds(150) && beside > alone,
            $"{alone} alone, {beside} beside a line"
        );

        static TimeSpan TimeOf(Action action)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            return Stopwatch.GetElapsedTime(start);
        }
    }

    [Fact]
    public async Task An_urgent_image_is_decoded_before_those_that_came_earlier()
    {
        var gate = new DecodingGate();
        using var release = new SemaphoreSlim(0);
        using var inside = new CountdownEvent(Environment.ProcessorCount);
        using var gone = new CancellationTokenSource();
        var order = new List<string>();
        var busy = Enumerable
            .Range(0, Environment.ProcessorCount)
            .Select(_ => RunOnOwnThread(() => gate.RunAsync(Hold, isUrgent: true, CancellationToken.None)))
            .ToArray();
        Assert.True(inside.Wait(TimeSpan.FromSeconds(30)));
        var patient = gate.RunAsync(() => Note("patient"), isUrgent: false, CancellationToken.None);
        var cancelled = gate.RunAsync(() => Note("cancelled"), isUrgent: true, gone.Token);
        var urgent = gate.RunAsync(() => Note("urgent"), isUrgent: true, CancellationToken.None);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        // One core only: with two, both that wait would run at once, in any order.
        release.Release();
        await Task.WhenAll(patient, urgent);
        release.Release(busy.Length);
        await Task.WhenAll(busy);
        Assert.DoesNotContain("cancelled", order);
        Assert.Equal("urgent", order[0]);
        Assert.True(await gate.RunAsync(() => true, isUrgent: false, CancellationToken.None));

        bool Hold()
        {
            inside.Signal();
            return release.Wait(TimeSpan.FromSeconds(30));
        }

        bool Note(string name)
        {
            order.Add(name);
            return true;
        }
    }

    [Fact]
    public async Task Large_images_of_batches_that_wait_for_memory_hold_up_no_image_of_the_line()
    {
        var gate = new DecodingGate();
        byte[] small = Parts.Plain(8, 8, 9),
            large = Parts.Plain(300, 300, 9);
        var decoder = new ImageDecoder(memoryBytes: 300 * 300 * 3);
        var taken = decoder.Memory.Ask(1000, isUrgent: true);
        var batch = Enumerable
            .Range(0, 2 * Environment.ProcessorCount)
            .Select(_ => DecodeAsync(large, isUrgent: false, CancellationToken.None))
            .ToArray();
        Assert.DoesNotContain(batch, image => image.IsCompleted);
        Assert.IsType<DecodeResult.Decoded>(
            await DecodeAsync(small, isUrgent: true, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30))
        );

        // Who gives up while he waits leaves neither memory nor a place behind.
        using var gone = new CancellationTokenSource();
        var cancelled = DecodeAsync(large, isUrgent: false, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.DoesNotContain(batch, image => image.IsCompleted);
        taken.Dispose();
        Assert.All(
            await Task.WhenAll(batch).WaitAsync(TimeSpan.FromSeconds(30)),
            image => Assert.IsType<DecodeResult.Decoded>(image)
        );
        using var all = decoder.Memory.Ask(long.MaxValue, isUrgent: false);
        Assert.True(all.Granted.IsCompleted);

        Task<DecodeResult> DecodeAsync(byte[] bytes, bool isUrgent, CancellationToken cancellationToken) =>
            gate.RunAsync(aside => decoder.DecodeAsync(bytes, isUrgent, aside), isUrgent, cancellationToken);
    }

    private static Task<T> RunOnOwnThread<T>(Func<Task<T>> work) =>
        Task
            .Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .Unwrap();
}
