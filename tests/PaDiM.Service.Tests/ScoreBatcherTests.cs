using Microsoft.Extensions.Options;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Scoring;
using PaDiM.Service.Tests.Support;

namespace PaDiM.Service.Tests;

public sealed class ScoreBatcherTests(SharedService shared)
{
    [Fact]
    public async Task Every_image_of_many_at_once_gets_its_own_map()
    {
        var scorer = await shared.GetScorerAsync();
        var batcher = new ScoreBatcher(
            Options.Create(new ScoringOptions { MaxBatchSize = 4 }),
            shared.Service.Get<ScoreMetrics>(),
            TimeProvider.System,
            shared.Service.Get<DeviceWatch>()
        );
        var images = Enumerable.Range(0, 23).Select(seed => PreparedImages.Draw(scorer, seed)).ToArray();
        var alone = new List<float>();
        foreach (var image in images)
            alone.Add(await ScoreAsync(batcher, scorer, image));
        Assert.Equal(alone.Count, alone.Distinct().Count());
        var together = await Task.WhenAll(images.Select(image => Task.Run(() => ScoreAsync(batcher, scorer, image))));
        Assert.All(alone.Zip(together), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * pair.First));
    }

    [Fact]
    public async Task An_image_that_nobody_waits_for_leaves_those_behind_it_alone()
    {
        var scorer = await shared.GetScorerAsync();
        var time = new StoppedTime();
        var batcher = new ScoreBatcher(
            Options.Create(new ScoringOptions { MaxBatchWaitMs = 200 }),
            shared.Service.Get<ScoreMetrics>(),
            time,
            shared.Service.Get<DeviceWatch>()
        );
        using var gone = new CancellationTokenSource();
        var first = batcher.ScoreAsync(scorer, PreparedImages.Draw(scorer, 1), Priority.Line, gone.Token);
        var second = ScoreAsync(batcher, scorer, PreparedImages.Draw(scorer, 2));
        await gone.CancelAsync();
        await time.AdvanceOnceAwaitedAsync(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True(await second > 0);
        var third = ScoreAsync(batcher, scorer, PreparedImages.Draw(scorer, 3));
        await time.AdvanceOnceAwaitedAsync(TimeSpan.FromMilliseconds(200));
        Assert.True(await third > 0);
    }

    [Fact]
    public async Task A_leader_that_fails_tells_its_own_request_and_keeps_nobody_from_the_next()
    {
        var scorer = await shared.GetScorerAsync();
        var batcher = new ScoreBatcher(
            Options.Create(new ScoringOptions { MaxBatchWaitMs = 50 }),
            shared.Service.Get<ScoreMetrics>(),
            new TimeThatFailsOnce(),
            shared.Service.Get<DeviceWatch>()
        );
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() =>
            ScoreAsync(batcher, scorer, PreparedImages.Draw(scorer, 1))
        );
        Assert.True(await ScoreAsync(batcher, scorer, PreparedImages.Draw(scorer, 2)) > 0);
    }

    [Fact]
    public async Task An_image_of_the_line_goes_before_those_of_a_batch_that_came_earlier()
    {
        var scorer = await shared.GetScorerAsync();
        var time = new StoppedTime { Step = TimeSpan.FromMicroseconds(1) };
        var batcher = new ScoreBatcher(
            Options.Create(new ScoringOptions { MaxBatchSize = 8, MaxBatchWaitMs = 100 }),
            shared.Service.Get<ScoreMetrics>(),
            time,
            shared.Service.Get<DeviceWatch>()
        );
        var batch = Enumerable
            .Range(0, 6)
            .Select(seed =>
                batcher.ScoreAsync(scorer, PreparedImages.Draw(scorer, seed), Priority.Batch, CancellationToken.None)
            )
            .ToArray();
        var line = batcher.ScoreAsync(scorer, PreparedImages.Draw(scorer, 6), Priority.Line, CancellationToken.None);
        await time.AdvanceOnceAwaitedAsync(TimeSpan.FromMilliseconds(100));
        Assert.True((await line).Succeeded(out var first, out _));
        foreach (var answer in await Task.WhenAll(batch))
        {
            Assert.True(answer.Succeeded(out var later, out _));
            Assert.True(later.Waited > first.Waited, $"{later.Waited} after {first.Waited}");
        }
    }

    [Fact]
    public async Task An_image_of_a_batch_that_has_waited_for_a_second_goes_with_the_line()
    {
        var scorer = await shared.GetScorerAsync();
        var time = new StoppedTime { Step = TimeSpan.FromMicroseconds(1) };
        var batcher = new ScoreBatcher(
            Options.Create(new ScoringOptions { MaxBatchSize = 8, MaxBatchWaitMs = 1000 }),
            shared.Service.Get<ScoreMetrics>(),
            time,
            shared.Service.Get<DeviceWatch>()
        );
        var batch = batcher.ScoreAsync(scorer, PreparedImages.Draw(scorer, 1), Priority.Batch, CancellationToken.None);
        var line = batcher.ScoreAsync(scorer, PreparedImages.Draw(scorer, 2), Priority.Line, CancellationToken.None);
        await time.AdvanceOnceAwaitedAsync(TimeSpan.FromMilliseconds(1001));
        Assert.True((await batch).Succeeded(out var first, out _));
        Assert.True((await line).Succeeded(out var second, out _));
        // In one batch: both started at the same time.
        Assert.True(first.Waited > second.Waited);
        Assert.Equal(first.Embedding, second.Embedding);
    }

    private static async Task<float> ScoreAsync(ScoreBatcher batcher, ModelScorer scorer, float[] image)
    {
        Assert.True(
            (await batcher.ScoreAsync(scorer, image, Priority.Line, CancellationToken.None)).Succeeded(
                out var batched,
                out _
            )
        );
        return PreparedImages.GetMax(batched);
    }

    private sealed class TimeThatFailsOnce : TimeProvider
    {
        private bool _hasFailed;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (_hasFailed)
                return base.CreateTimer(callback, state, dueTime, period);
            _hasFailed = true;
            throw new InvalidTimeZoneException();
        }
    }
}
