using PaDiM.Core.Evaluation;
using PaDiM.Core.Geometry;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Evaluation;

public sealed class EvaluationPipelineTests : IDisposable
{
    private const double Threshold = 6;
    private const int Side = 64;
    private readonly Fits _fits = new();
    private readonly ModelScorer _scorer;

    public EvaluationPipelineTests() => _scorer = new ModelScorer(_fits.Run(_fits.Parts(0, 8)), Fits.Tiny);

    [Fact]
    public void The_report_is_what_scores_and_maps_give_by_hand()
    {
        Sample[] samples =
        [
            Good(100),
            Bad(200, DefectKind.Scratch, 80),
            Good(101, 96),
            Bad(201, DefectKind.Dent),
            Bad(202, DefectKind.Scratch),
            Good(102, 72),
        ];
        var report = Run(samples);

        var maps = samples.Select(sample => _scorer.Score(TestDecoder.Image(sample.Bytes))).ToArray();
        float[] scores = [.. maps.Select(map => map.Max())];
        ScoredPixels[] pixels =
        [
            .. samples.Zip(
                maps,
                (sample, map) =>
                    new ScoredPixels(
                        new OriginalMapper(
                            _scorer.Embedder.Preprocessing.CreateFrame(new Grid(sample.Side, sample.Side))
                        ).ToOriginal(map),
                        sample.Mask
                    )
            ),
        ];
        Assert.Equal(scores, report.Scores);
        Assert.Equal(
            ImageMetrics.Compute(scores, [.. samples.Select(sample => sample.Kind is not null)]),
            report.Images
        );
        Assert.Equal(PixelMetrics.Compute(pixels), report.Pixels);
        Assert.Equal(["Dent", "Scratch"], report.PerDefect.Select(defect => defect.Defect));
        Assert.Equal([1, 2], report.PerDefect.Select(defect => defect.Count));
        foreach (var defect in report.PerDefect)
        {
            int[] chosen =
            [
                .. Enumerable
                    .Range(0, samples.Length)
                    .Where(i => samples[i].Kind is not { } kind || kind.ToString() == defect.Defect),
            ];
            Assert.Equal(
                ImageMetrics.Compute(
                    [.. chosen.Select(i => scores[i])],
                    [.. chosen.Select(i => samples[i].Kind is not null)]
                ),
                defect.Images
            );
            Assert.Equal(PixelMetrics.Compute([.. chosen.Select(i => pixels[i])]), defect.Pixels);
        }
        int Count(bool anomalous, bool rejected) =>
            samples
                .Zip(scores)
                .Count(image => image.First.Kind is not null == anomalous && image.Second >= Threshold == rejected);
        Assert.Equal(
            new Confusion(Threshold, Count(true, true), Count(false, true), Count(false, false), Count(true, false)),
            report.ConfusionAtThreshold
        );
    }

    [Fact]
    public void A_score_at_the_threshold_is_anomalous()
    {
        Sample[] samples = [Good(100), Bad(200, DefectKind.Dent)];
        var scores = Run(samples).Scores;
        Assert.Equal((1, 0), Decided(Run(samples, threshold: scores[1])));
        Assert.Equal((1, 1), Decided(Run(samples, threshold: Math.Min(scores[0], scores[1]))));
        Assert.Equal((0, 0), Decided(Run(samples, threshold: Math.BitIncrement((double)scores.Max()))));

        static (int Found, int Rejected) Decided(EvaluationReport report) =>
            (report.ConfusionAtThreshold.TruePositives, report.ConfusionAtThreshold.FalsePositives);
    }

    [Fact]
    public void Known_normals_count_for_the_image_metrics_and_the_decisions_and_have_no_pixels()
    {
        Sample[] samples = [Good(100), Bad(200, DefectKind.Scratch), Bad(201, DefectKind.Dent)];
        var without = Run(samples);
        float[] known = [0.5f, without.Scores[1], 1000];
        var report = Run(samples, known: known);
        Assert.Equal(without.Pixels, report.Pixels);
        Assert.Equal(without.Scores, report.Scores);
        Assert.Equal(
            ImageMetrics.Compute([.. without.Scores, .. known], [false, true, true, false, false, false]),
            report.Images
        );
        foreach (var (before, after) in without.PerDefect.Zip(report.PerDefect))
        {
            Assert.Equal((before.Defect, before.Count, before.Pixels), (after.Defect, after.Count, after.Pixels));
            Assert.Equal(
                ImageMetrics.Compute(
                    [without.Scores[0], .. known, without.Scores[before.Defect == "Scratch" ? 1 : 2]],
                    [false, false, false, false, true]
                ),
                after.Images
            );
        }
        var decided = without.ConfusionAtThreshold;
        var now = report.ConfusionAtThreshold;
        Assert.Equal((decided.TruePositives, decided.FalseNegatives), (now.TruePositives, now.FalseNegatives));
        Assert.Equal(decided.FalsePositives + known.Count(score => score >= Threshold), now.FalsePositives);
        Assert.Equal(decided.TrueNegatives + known.Count(score => score < Threshold), now.TrueNegatives);
    }

    [Fact]
    public void Known_normals_may_be_all_there_are()
    {
        var report = Run([Bad(200, DefectKind.Dent)], known: [0.5f, 0.25f]);
        Assert.Equal(1, report.Images.Auroc);
        Assert.Equal(2, report.ConfusionAtThreshold.TrueNegatives);
        Assert.InRange(report.Pixels.Auroc, 0.5, 1);
    }

    [Fact]
    public void Images_without_masks_count_for_the_image_metrics_only()
    {
        Sample[] masked = [Good(100), Bad(200, DefectKind.Scratch)];
        Sample[] samples = [.. masked, Bad(201, DefectKind.Dent) with { Mask = null }];
        var alone = Run(masked);
        var report = Run(samples);
        Assert.Equal(alone.Pixels, report.Pixels);
        Assert.Equal(ImageMetrics.Compute(report.Scores, [false, true, true]), report.Images);
        Assert.Equal(["Dent", "Scratch"], report.PerDefect.Select(defect => defect.Defect));
        Assert.Equal(PixelMetrics.Undefined, report.PerDefect[0].Pixels);
        Assert.Equal(1, report.PerDefect[0].Count);
        Assert.Equal(
            3,
            report.ConfusionAtThreshold.TruePositives
                + report.ConfusionAtThreshold.FalseNegatives
                + report.ConfusionAtThreshold.FalsePositives
                + report.ConfusionAtThreshold.TrueNegatives
        );
    }

    [Fact]
    public void A_mask_of_another_size_is_refused_with_both_sizes_and_the_name()
    {
        var images = Images([Good(100), Good(101), Bad(200, DefectKind.Dent)]);
        images[2] = images[2] with { ReadMask = () => Mask(new Grid(40, 50), new bool[2000]) };
        var message = Refusal(images);
        Assert.Contains("The mask of image 2", message, StringComparison.Ordinal);
        Assert.Contains("50 x 40", message, StringComparison.Ordinal);
        Assert.Contains("64 x 64", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_and_a_mask_that_cannot_be_read_are_named()
    {
        var images = Images([Good(100), Good(101), Bad(200, DefectKind.Dent)]);
        Assert.StartsWith(
            "image 1 cannot be read: ",
            Refusal([images[0], images[1] with { Read = () => [1, 2, 3] }, images[2]]),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "the mask of image 2 cannot be read: ",
            Refusal([images[0], images[1], images[2] with { ReadMask = () => [] }]),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Ignored_pixels_are_left_out_of_the_pixel_metrics()
    {
        bool[] ignored = [.. Enumerable.Range(0, Side * Side).Select(p => p % Side >= 36)];
        var masking = new ModelScorer(_fits.Run(_fits.Parts(0, 8), ignored: ignored), Fits.Tiny);
        // The defects lie to both sides of the line.
        Sample[] samples = [Good(100), .. Enumerable.Range(200, 5).Select(seed => Bad(seed, DefectKind.Scratch))];
        Assert.Contains(samples[1..], sample => Any(sample, ignored, counts: true));
        Assert.Contains(samples[1..], sample => Any(sample, ignored, counts: false));
        var report = Run(samples, masking);
        var maps = samples.Select(sample => masking.Score(TestDecoder.Image(sample.Bytes))).ToArray();
        Assert.Equal(
            PixelMetrics.Compute([.. samples.Zip(maps, (sample, map) => new ScoredPixels(map, sample.Mask, ignored))]),
            report.Pixels
        );
        Assert.Equal(maps.Select(map => map.Max()), report.Scores);
        Assert.NotEqual(
            PixelMetrics.Compute([.. samples.Zip(maps, (sample, map) => new ScoredPixels(map, sample.Mask))]),
            report.Pixels
        );

        static bool Any(Sample sample, bool[] ignored, bool counts) =>
            sample.Mask!.Zip(ignored).Any(pixel => pixel.First && pixel.Second != counts);
    }

    [Fact]
    public void A_defect_that_lies_wholly_in_ignored_pixels_has_no_region()
    {
        var hidden = Bad(200, DefectKind.Dent);
        var shown = Enumerable
            .Range(201, 20)
            .Select(seed => Bad(seed, DefectKind.Scratch))
            .First(sample => !sample.Mask!.Zip(hidden.Mask!).Any(pixel => pixel.First && pixel.Second));
        var masking = new ModelScorer(_fits.Run(_fits.Parts(0, 8), ignored: hidden.Mask), Fits.Tiny);
        var alone = Run([Good(100), hidden], masking);
        Assert.Equal(PixelMetrics.Undefined, alone.Pixels);
        Assert.Equal(ImageMetrics.Compute(alone.Scores, [false, true]), alone.Images);
        // Beside another defect it is as if its mask were black.
        var report = Run([Good(100), hidden, shown], masking);
        var black = Run([Good(100), hidden with { Mask = new bool[Side * Side] }, shown], masking);
        Assert.Equal(black.Pixels, report.Pixels);
        Assert.True(double.IsFinite(report.Pixels.AuPro30));
    }

    [Fact]
    public void Kept_maps_are_used_in_place_of_scoring_and_give_the_same_report()
    {
        using var folder = new TempDirectory();
        bool[] ignored = [.. Enumerable.Range(0, Side * Side).Select(p => p / Side < 20)];
        var masking = new ModelScorer(_fits.Run(_fits.Parts(0, 8), ignored: ignored), Fits.Tiny);
        var images = Images([Good(100), Bad(200, DefectKind.Scratch, 80), Bad(201, DefectKind.Dent)]);
        var store = new MapStore(folder.Path);
        var expected = new EvaluationPipeline(masking, new ImageDecoder(), OnThreadPool.Context).Run(
            images,
            Threshold,
            null,
            default
        );
        AssertSame(
            expected,
            new EvaluationPipeline(masking, new ImageDecoder(), OnThreadPool.Context, store).Run(
                images,
                Threshold,
                null,
                default
            )
        );
        TestImage[] unread =
        [
            .. images.Select(image =>
                image with
                {
                    Read = () => throw new InvalidOperationException("There is no need to read it."),
                }
            ),
        ];
        AssertSame(
            expected,
            new EvaluationPipeline(masking, new ImageDecoder(), OnThreadPool.Context, store).Run(
                unread,
                Threshold,
                null,
                default
            )
        );
    }

    [Fact]
    public void Progress_rises_with_every_batch_of_images_side_by_side()
    {
        var steps = new List<double>();
        var batch = Math.Min(_scorer.PreferredBatchSize, 8);
        new EvaluationPipeline(_scorer, new ImageDecoder(), OnThreadPool.Context).Run(
            Images([.. Enumerable.Range(100, 2 * batch).Select(seed => Good(seed)), Bad(200, DefectKind.Dent)]),
            Threshold,
            steps.Add,
            default
        );
        var all = 2.0 * batch + 1;
        Assert.Equal([batch / all, 2 * batch / all, 1], steps);
    }

    [Fact]
    public void It_stops_when_told_to_between_batches_and_before_the_pixels()
    {
        var batch = Math.Min(_scorer.PreferredBatchSize, 8);
        var images = Images([
            .. Enumerable.Range(100, 2 * batch).Select(seed => Good(seed)),
            Bad(200, DefectKind.Dent),
        ]);
        foreach (var share in new[] { 0, 0.3, 0.6, 1 })
        {
            using var stop = new CancellationTokenSource();
            var reads = 0;
            TestImage[] counted =
            [
                .. images.Select(image =>
                    image with
                    {
                        Read = () =>
                        {
                            Interlocked.Increment(ref reads);
                            return image.Read();
                        },
                        ReadMask = image.ReadMask is null
                            ? null
                            : () => throw new InvalidOperationException("It went on."),
                    }
                ),
            ];
            if (share == 0)
                stop.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() =>
                new EvaluationPipeline(_scorer, new ImageDecoder(), OnThreadPool.Context).Run(
                    counted,
                    Threshold,
                    done =>
                    {
                        if (done >= share)
                            stop.Cancel();
                    },
                    stop.Token
                )
            );
            Assert.Equal(Math.Min(images.Length, (int)Math.Ceiling(share * images.Length / batch) * batch), reads);
        }
    }

    public void Dispose() => _fits.Dispose();

    private EvaluationReport Run(
        Sample[] samples,
        ModelScorer? with = null,
        double threshold = Threshold,
        float[]? known = null
    ) =>
        new EvaluationPipeline(with ?? _scorer, new ImageDecoder(), OnThreadPool.Context).Run(
            Images(samples),
            threshold,
            null,
            default,
            known
        );

    private string Refusal(TestImage[] images)
    {
        var fault = Assert
            .Throws<UserFaultException>(() =>
                new EvaluationPipeline(_scorer, new ImageDecoder(), OnThreadPool.Context).Run(
                    images,
                    Threshold,
                    null,
                    default
                )
            )
            .Fault;
        Assert.Equal("image_damaged", fault.Code);
        return fault.Detail;
    }

    private static void AssertSame(EvaluationReport expected, EvaluationReport actual)
    {
        Assert.Equal(
            (expected.Images, expected.Pixels, expected.ConfusionAtThreshold),
            (actual.Images, actual.Pixels, actual.ConfusionAtThreshold)
        );
        Assert.Equal(expected.PerDefect, actual.PerDefect);
        Assert.Equal(expected.Scores, actual.Scores);
    }

    private static TestImage[] Images(Sample[] samples) =>
        [
            .. samples.Select(
                (sample, i) =>
                    new TestImage(
                        $"image {i}",
                        sample.Kind?.ToString(),
                        () => sample.Bytes,
                        sample.Mask is { } mask ? () => Mask(new Grid(sample.Side, sample.Side), mask) : null
                    )
            ),
        ];

    private static Sample Good(int seed, int side = Side) =>
        new(null, side, SyntheticParts.Good(seed, side).ToBmp(), null);

    private static Sample Bad(int seed, DefectKind kind, int side = Side)
    {
        var part = SyntheticParts.Defective(seed, kind, side);
        return new Sample(kind, side, part.Image.ToBmp(), part.Mask);
    }

    private static byte[] Mask(Grid size, bool[] mask) =>
        new PaDiM.TestSupport.Parts.RgbImage(
            size.Width,
            size.Height,
            [.. mask.SelectMany(white => Enumerable.Repeat((byte)(white ? 255 : 0), 3))]
        ).ToBmp();

    /// <summary>A test image, its defect and where the defect is.</summary>
    private sealed record Sample(DefectKind? Kind, int Side, byte[] Bytes, bool[]? Mask);
}
