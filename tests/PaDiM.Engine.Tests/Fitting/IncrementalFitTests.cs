using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

public sealed class IncrementalFitTests
{
    private const double Tolerance = 1e-4;

    [Fact]
    public void Adding_images_equals_a_fit_from_nothing_and_reads_only_the_new_ones()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 14));
        fits.Reads = 0;
        var grown = fits.Run(fits.Parts(0, 19), fits.PriorOf(prior));
        Assert.Equal(5, fits.Reads);
        AssertClose(FromNothing(0, 19), grown);
    }

    [Fact]
    public void Removing_images_equals_a_fit_from_nothing_and_reads_none()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 20));
        fits.Reads = 0;
        var shrunk = fits.Run(fits.Parts(3, 17), fits.PriorOf(prior));
        Assert.Equal(0, fits.Reads);
        AssertClose(FromNothing(3, 17), shrunk);
    }

    [Fact]
    public void Adding_and_removing_again_and_again_stays_close()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 12));
        for (var first = 1; first <= 6; first++)
            model = fits.Run(fits.Parts(first, 12), fits.PriorOf(model));
        AssertClose(FromNothing(6, 12), model);
    }

    [Fact]
    public void Fits_with_a_local_average_grow_and_shrink_as_others_do()
    {
        var settings = Fits.Settings with { LocalAverage = true, ImageScore = ImageScoreMethod.Top };
        using var fits = new Fits();
        // Embeddings without the average in the same store are not taken for its own.
        fits.Run(fits.Parts(0, 14));
        var prior = fits.Run(fits.Parts(0, 14), settings: settings);
        var changed = fits.Run(fits.Parts(2, 16), fits.PriorOf(prior), settings);
        using var other = new Fits();
        AssertClose(other.Run(other.Parts(2, 16), settings: settings), changed);
    }

    [Fact]
    public void More_removed_than_left_is_a_fit_from_nothing()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 12));
        Assert.Equal(
            Fits.Bytes(FromNothing(9, 5)),
            Fits.Bytes(
                fits.Run(
                    fits.Parts(9, 5),
                    new PriorFit(prior.Reduction, prior.TrainingImages, () => throw new InvalidOperationException())
                )
            )
        );
    }

    [Fact]
    public void An_embedding_of_a_removed_image_that_is_gone_makes_it_a_fit_from_nothing()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 12));
        var removed = fits.Parts(0, 1)[0].Sha256;
        foreach (var path in Directory.EnumerateFiles(fits.StorePath, $"{removed}*", SearchOption.AllDirectories))
            File.Delete(path);
        Assert.Equal(Fits.Bytes(FromNothing(1, 11)), Fits.Bytes(fits.Run(fits.Parts(1, 11), fits.PriorOf(prior))));
    }

    [Fact]
    public void Statistics_that_are_gone_make_it_a_fit_from_nothing()
    {
        using var fits = new Fits();
        var prior = fits.Run(fits.Parts(0, 6));
        Assert.Equal(
            Fits.Bytes(FromNothing(0, 8)),
            Fits.Bytes(fits.Run(fits.Parts(0, 8), new PriorFit(prior.Reduction, prior.TrainingImages, () => null)))
        );
    }

    private static PadimModel FromNothing(int first, int count)
    {
        using var fits = new Fits();
        return fits.Run(fits.Parts(first, count));
    }

    /// <summary>Calibration scores, thresholds and the maps of a good and a bad part agree.</summary>
    private static void AssertClose(PadimModel expected, PadimModel actual)
    {
        Assert.Equal(expected.TrainingImages, actual.TrainingImages);
        AssertClose(expected.Calibration.Scores, actual.Calibration.Scores);
        foreach (
            var part in new[] { SyntheticParts.Good(77, 72), SyntheticParts.Defective(78, DefectKind.Dent, 72).Image }
        )
        {
            var image = TestDecoder.Image(part.ToBmp());
            AssertClose(Map(expected, image), Map(actual, image));
        }
    }

    private static double[] Map(PadimModel model, PaDiM.Imaging.RgbImage image) =>
        [.. new ModelScorer(model, Fits.Tiny).Score(image).Values.Select(v => (double)v)];

    private static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual) =>
        Assert.InRange(expected.Zip(actual, (e, a) => Math.Abs(e - a) / Math.Abs(e)).Max(), 0, Tolerance);
}
