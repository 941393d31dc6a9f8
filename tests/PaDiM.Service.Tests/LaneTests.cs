using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Tests.Support;
using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests;

/// <summary>The line goes first wherever images wait.</summary>
public sealed class LaneTests
{
    private const int Cores = 2;

    private readonly StoppedTime _time = new();

    [Fact]
    public async Task Batches_hold_half_of_the_slots_and_the_line_finds_the_others()
    {
        var admission = Admit(slots: 4, cores: 8);
        var first = await ScoreAsync(admission, Priority.Batch);
        var second = await ScoreAsync(admission, Priority.Batch);
        var third = ScoreAsync(admission, Priority.Batch);
        Assert.False(third.IsCompleted);
        Assert.Equal(2, admission.SlotsInUse);
        using (var line = await ScoreAsync(admission, Priority.Line))
        using (var other = await ScoreAsync(admission, Priority.Line))
        {
            Assert.True(line.IsAcquired && other.IsAcquired);
            Assert.True(admission.IsFull);
            using var refused = await ScoreAsync(admission, Priority.Line);
            Assert.False(refused.IsAcquired);
        }
        first.Dispose();
        (await third).Dispose();
        second.Dispose();
        Assert.False(admission.IsFull);
        Assert.Equal(0, admission.SlotsInUse);
    }

    [Fact]
    public async Task A_slot_is_held_until_the_answer_and_a_core_until_the_image_is_decoded()
    {
        var admission = Admit(slots: 4, cores: 1);
        using var decoded = await ScoreAsync(admission, Priority.Line);
        var next = ScoreAsync(admission, Priority.Line);
        Assert.False(next.IsCompleted);
        Assert.Equal(2, admission.SlotsInUse);
        decoded.ReleaseCoreAndMemory();
        (await next).Dispose();
        Assert.Equal(1, admission.SlotsInUse);
    }

    [Fact]
    public async Task Uploads_need_no_slot()
    {
        var admission = Admit(slots: 1, cores: 8);
        using var line = await ScoreAsync(admission, Priority.Line);
        Assert.True(admission.IsFull);
        using var upload = await AcquireAsync(admission, 0, Priority.Batch);
        Assert.True(upload.IsAcquired);
    }

    [Fact]
    public async Task A_job_pauses_before_an_image_while_the_line_is_active()
    {
        var admission = Admit();
        // Would never return: nothing advances the time.
        admission.PauseForActiveLine(CancellationToken.None);
        (await AcquireAsync(admission, 0, Priority.Batch)).Dispose();
        admission.PauseForActiveLine(CancellationToken.None);

        (await AcquireAsync(admission, 0, Priority.Line)).Dispose();
        var beside = PauseAsync(CancellationToken.None);
        await _time.AdvanceOnceAwaitedAsync(TimeSpan.FromMilliseconds(199));
        Assert.False(beside.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await beside;

        using var gone = new CancellationTokenSource();
        var cancelled = PauseAsync(gone.Token);
        await _time.AwaitedAsync();
        await gone.CancelAsync();
        await cancelled;

        _time.Advance(TimeSpan.FromMilliseconds(50));
        admission.PauseForActiveLine(CancellationToken.None);

        Task PauseAsync(CancellationToken cancellationToken) =>
            Task.Factory.StartNew(
                () => admission.PauseForActiveLine(cancellationToken),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
    }

    [Fact]
    public async Task An_image_of_the_line_is_decoded_before_those_that_came_earlier()
    {
        var admission = Admit();
        using var gone = new CancellationTokenSource();
        var busy = await AcquireAsync(admission, 0, Priority.Line);
        using var other = await AcquireAsync(admission, 0, Priority.Batch);
        var batch = AcquireAsync(admission, 0, Priority.Batch);
        var cancelled = admission.AcquireAsync(0, Priority.Line, gone.Token).AsTask();
        var line = AcquireAsync(admission, 0, Priority.Line);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        Assert.False(batch.IsCompleted || line.IsCompleted);
        busy.Dispose();
        var first = await line;
        Assert.False(batch.IsCompleted);
        first.Dispose();
        (await batch).Dispose();
    }

    [Fact]
    public async Task Large_images_of_batches_that_wait_for_memory_hold_up_no_image_of_the_line()
    {
        byte[] small = Parts.Plain(8, 8, 9),
            large = Parts.Plain(300, 300, 9);
        var decoder = new ImageDecoder();
        var admission = Admit(decodeBytes: 300 * 300 * 3);
        var taken = await AcquireAsync(admission, 1000, Priority.Line);
        var batch = Enumerable
            .Range(0, 2 * Cores)
            .Select(_ => DecodeAsync(large, Priority.Batch, CancellationToken.None))
            .ToArray();
        Assert.DoesNotContain(batch, image => image.IsCompleted);
        Assert.IsType<DecodeResult.Decoded>(await DecodeAsync(small, Priority.Line, CancellationToken.None));

        // Giving up while waiting leaves neither memory nor a core behind.
        using var gone = new CancellationTokenSource();
        var cancelled = DecodeAsync(large, Priority.Batch, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.DoesNotContain(batch, image => image.IsCompleted);
        taken.Dispose();
        Assert.All(
            await Task.WhenAll(batch).WaitAsync(TimeSpan.FromSeconds(30)),
            image => Assert.IsType<DecodeResult.Decoded>(image)
        );
        Assert.True(AcquireAsync(admission, long.MaxValue, Priority.Batch).IsCompleted);

        async Task<DecodeResult> DecodeAsync(byte[] bytes, Priority priority, CancellationToken cancellationToken)
        {
            Assert.True(decoder.TryProbe(bytes, out var header, out _));
            using var lease = await admission.AcquireAsync(header.DecodeBytes, priority, cancellationToken);
            return decoder.Decode(bytes);
        }
    }

    private ImageAdmission Admit(int slots = 64, int cores = Cores, long decodeBytes = 1 << 30) =>
        new(new AdmissionLimits(slots, cores, decodeBytes), _time);

    private static Task<ImageLease> AcquireAsync(ImageAdmission admission, long bytes, Priority priority) =>
        admission.AcquireAsync(bytes, priority, CancellationToken.None).AsTask();

    private static Task<ImageLease> ScoreAsync(ImageAdmission admission, Priority priority) =>
        admission.AcquireToScoreAsync(0, priority, CancellationToken.None).AsTask();
}
