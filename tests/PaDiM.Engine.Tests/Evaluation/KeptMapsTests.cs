using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Evaluation;

public sealed class KeptMapsTests
{
    [Fact]
    public void An_evaluation_that_was_cut_off_scores_what_it_lacks_and_gives_the_same_report()
    {
        using var fits = new Fits();
        using var folder = new TempDirectory();
        var scorer = new ModelScorer(fits.Run(fits.Parts(0, 6)), Fits.Tiny);
        var reads = 0;
        var batch = Math.Min(scorer.PreferredBatchSize, 8);
        TestImage[] images =
        [
            .. Enumerable
                .Range(0, 2 * batch)
                .Select(i => new TestImage(
                    $"{i}",
                    i < batch ? null : "dent",
                    () =>
                    {
                        Interlocked.Increment(ref reads);
                        return i < batch
                            ? SyntheticParts.Good(100 + i, 72).ToBmp()
                            : SyntheticParts.Defective(100 + i, DefectKind.Dent, 72).Image.ToBmp();
                    },
                    null
                )),
        ];
        var expected = new EvaluationPipeline(scorer, new ImageDecoder(), OnThreadPool.Context).Run(
            images,
            5,
            null,
            default
        );

        reads = 0;
        using var stop = new CancellationTokenSource();
        var pipeline = new EvaluationPipeline(
            scorer,
            new ImageDecoder(),
            OnThreadPool.Context,
            new MapStore(folder.Path)
        );
        Assert.Throws<OperationCanceledException>(() =>
            pipeline.Run(
                images,
                5,
                share =>
                {
                    if (share > 0.4)
                        stop.Cancel();
                },
                stop.Token
            )
        );
        Assert.Equal(batch, reads);
        var report = pipeline.Run(images, 5, null, default);
        Assert.Equal(2 * batch, reads);
        Assert.Equal((expected.Images, expected.ConfusionAtThreshold), (report.Images, report.ConfusionAtThreshold));
    }
}
