using Microsoft.Extensions.Options;
using PaDiM.Engine.Scoring;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Scoring;
using PaDiM.Service.Tests.Support;

namespace PaDiM.Service.Tests;

/// <summary>Scoring under load: every image on one thread.</summary>
public sealed class SideBySideTests(SharedService shared)
{
    [Fact]
    public async Task Every_image_of_many_gets_the_map_that_it_gets_alone()
    {
        var scorer = await shared.GetScorerAsync();
        var admission = Admit(cores: 2);
        var sideBySide = Create(admission, maxBatchSize: 4);
        var alone = new List<float>();
        for (var seed = 0; seed < 23; seed++)
            alone.Add(await ScoreAsync(sideBySide, admission, scorer, seed));
        Assert.Equal(alone.Count, alone.Distinct().Count());

        var together = await Task.WhenAll(
            Enumerable.Range(0, 23).Select(seed => Task.Run(() => ScoreAsync(sideBySide, admission, scorer, seed)))
        );

        Assert.All(alone.Zip(together), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * pair.First));
        Assert.Equal(0, admission.SlotsInUse);
    }

    [Fact]
    public async Task Images_that_wait_share_a_pass_over_the_statistics()
    {
        var scorer = await shared.GetScorerAsync();
        var admission = Admit(cores: 3);
        var sideBySide = Create(admission, maxBatchSize: 8);
        var first = await AdmitAsync(admission);
        var second = await AdmitAsync(admission);
        using var decoding = await AdmitAsync(admission);
        using var uploads = Requests(admission, count: 2);

        // Both give their core to an upload, and have none for their distances.
        var scores = new[] { ScoreAsync(sideBySide, first, scorer, 1), ScoreAsync(sideBySide, second, scorer, 2) };
        Assert.All(scores, score => Assert.False(score.IsCompleted));
        decoding.ReleaseCoreAndMemory();
        var maps = await Task.WhenAll(scores);

        Assert.Equal(maps[0].Scoring, maps[1].Scoring);
        Assert.NotEqual(PreparedImages.GetMax(maps[0]), PreparedImages.GetMax(maps[1]));
        first.Dispose();
        second.Dispose();
    }

    [Fact]
    public async Task An_image_that_is_given_up_leaves_the_others_and_their_core()
    {
        var scorer = await shared.GetScorerAsync();
        var admission = Admit(cores: 1);
        var sideBySide = Create(admission, maxBatchSize: 8);
        using var lease = await AdmitAsync(admission);
        using var uploads = Requests(admission, count: 1);
        using var gone = new CancellationTokenSource();

        var score = sideBySide.ScoreAsync(scorer, PreparedImages.Draw(scorer, 1), lease, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => score);
        lease.Dispose();
        uploads.Dispose();

        Assert.True(await ScoreAsync(sideBySide, admission, scorer, 2) > 0);
        Assert.Equal(0, admission.SlotsInUse);
    }

    [Theory]
    [InlineData(false, 0, 0)]
    [InlineData(false, 2, 2)]
    [InlineData(false, 9, 3)]
    [InlineData(true, 1, 4)]
    public async Task An_image_in_progress_waits_behind_the_next_images_of_its_priority(
        bool isOfBatch,
        int behind,
        int before
    )
    {
        var admission = Admit(cores: 1);
        var holder = await AdmitAsync(admission);
        ImageLease[] waiting =
        [
            admission.RequestCore(99, Priority.Line),
            admission.RequestCore(99, Priority.Line),
            admission.RequestCore(99, Priority.Line),
            admission.RequestCore(99, Priority.Batch),
            admission.RequestCore(99, Priority.Batch),
        ];
        var turn = admission.RequestCore(behind, isOfBatch ? Priority.Batch : Priority.Line);

        holder.Dispose();
        for (var i = 0; i < before; i++)
        {
            Assert.False(turn.Granted.IsCompleted);
            Assert.True(waiting[i].Granted.IsCompleted);
            waiting[i].Dispose();
        }

        Assert.True(turn.Granted.IsCompleted);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    public async Task As_many_images_as_threads_are_scored_side_by_side(int images, bool expected)
    {
        var scorer = await shared.GetScorerAsync();
        var admission = Admit(cores: 2);
        for (var i = 0; i < images + scorer.Runtime.Threads - 2; i++)
            _ = AdmitAsync(admission);
        Assert.Equal(expected, Create(admission, maxBatchSize: 8).IsFasterFor(scorer));
        Assert.False(Create(admission, maxBatchSize: 8, maxBatchWaitMs: 1).IsFasterFor(scorer));
    }

    private static ImageAdmission Admit(int cores) =>
        new(new AdmissionLimits(Slots: 64, cores, DecodeBytes: 1 << 20), TimeProvider.System);

    private static Task<ImageLease> AdmitAsync(ImageAdmission admission) =>
        admission.AcquireToScoreAsync(decodeBytes: 0, Priority.Line, CancellationToken.None).AsTask();

    private static Leases Requests(ImageAdmission admission, int count) =>
        new([.. Enumerable.Range(0, count).Select(_ => admission.RequestCore(99, Priority.Line))]);

    private SideBySideScorer Create(ImageAdmission admission, int maxBatchSize, int maxBatchWaitMs = 0) =>
        new(
            admission,
            Options.Create(new ScoringOptions { MaxBatchSize = maxBatchSize, MaxBatchWaitMs = maxBatchWaitMs }),
            shared.Service.Get<ScoreMetrics>(),
            TimeProvider.System,
            shared.Service.Get<DeviceWatch>()
        );

    private static async Task<float> ScoreAsync(
        SideBySideScorer sideBySide,
        ImageAdmission admission,
        ModelScorer scorer,
        int seed
    )
    {
        using var lease = await AdmitAsync(admission);
        return PreparedImages.GetMax(await ScoreAsync(sideBySide, lease, scorer, seed));
    }

    private static async Task<BatchedMap> ScoreAsync(
        SideBySideScorer sideBySide,
        ImageLease lease,
        ModelScorer scorer,
        int seed
    )
    {
        var answer = await sideBySide.ScoreAsync(
            scorer,
            PreparedImages.Draw(scorer, seed),
            lease,
            CancellationToken.None
        );
        Assert.True(answer.Succeeded(out var batched, out _));
        return batched;
    }

    private sealed class Leases(ImageLease[] leases) : IDisposable
    {
        public void Dispose() => Array.ForEach(leases, lease => lease.Dispose());
    }
}
