using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.Trials.Support;

namespace PaDiM.Trials;

/// <summary>
/// Two replicas on PostgreSQL, each on a processor of its own: one scores, and the other fits. What they share is the
/// database, the disk and the memory of the machine.
/// </summary>
[Collection(nameof(MeasuresTheMachine))]
public sealed class R17_FitElsewhere
{
    private static readonly int Scores = TrialLength.Of(200, 2000);
    private static readonly int Images = TrialLength.Of(60, 400);

    [Fact]
    public async Task A_fit_on_another_replica_is_no_concern_of_a_score()
    {
        PostgresServer.SkipIfMissing();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Processes are bound to processors with taskset.");
        Assert.SkipUnless(Environment.ProcessorCount > 1, "There is one processor.");
        using var data = new TempDirectory();
        var database = await PostgresServer.CreateOptionsAsync();
        await using var score = await StartAsync("score", processor: 0);
        await using var fit = await StartAsync("fit", processor: 1);
        var category = new CategoryClient(score.Http, "part");
        await new CategoryClient(fit.Http, "part").CreateFittedAsync(4);
        var other = new CategoryClient(fit.Http, "other");
        await other.CreateAsync(new { imageSize = 128 });
        await other.UploadPartsAsync(100, Images);
        await category.TimesAsync(50);

        var alone = await category.TimesAsync(Scores);
        // Again and again, so that every stage of a fit falls into the measurement.
        using var enough = new CancellationTokenSource();
        var fits = FitOnAsync(other, enough.Token);
        var beside = await category.TimesAsync(Scores);
        await enough.CancelAsync();
        var fitted = await fits;

        Assert.Empty(score.Errors);
        Trial.Tell(
            $"p50 {alone.Percentile(0.5):0.0} ms alone and {beside.Percentile(0.5):0.0} beside {fitted} fits, p99 "
                + $"{alone.Percentile(0.99):0.0} and {beside.Percentile(0.99):0.0}: ratio "
                + $"{beside.Percentile(0.99) / alone.Percentile(0.99):0.00}"
        );

        Task<ServiceProcess> StartAsync(string role, int processor) =>
            ServiceProcess.StartThroughAsync(
                ["taskset", "-c", $"{processor}"],
                data.Path,
                [("Role", role), ("ReplicaName", role), .. database]
            );
    }

    private static async Task<int> FitOnAsync(CategoryClient category, CancellationToken enough)
    {
        var fitted = 0;
        do
        {
            await category.FitAsync(new { incremental = false });
            fitted++;
        } while (!enough.IsCancellationRequested);
        return fitted;
    }
}
