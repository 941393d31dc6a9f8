using PaDiM.Core.Models;
using PaDiM.Imaging;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Whether a model scores here as it did where it was fitted: every model keeps a few of its training images with their
/// scores, and is held to them whenever it is loaded. Another device, runtime or processor may round differently; a
/// wrong preparation, a broken kernel or exchanged weights differ by far more.
/// </summary>
public static class SelfTest
{
    /// <summary>Largest relative deviation of a score: rounding stays orders of magnitude below it.</summary>
    public const double Tolerance = 0.01;

    /// <summary>Of identical images a score is rounding alone.</summary>
    private const double MinReferenceScore = 0.1;

    /// <summary>A sentence about a score that deviates; null when all agree, or the model keeps no images.</summary>
    public static string? Validate(ModelScorer inspector)
    {
        var side = inspector.Model.Settings.ImageSize;
        for (var i = 0; i < inspector.Model.GoldenImages.Count; i++)
        {
            var golden = inspector.Model.GoldenImages[i];
            var score = inspector.Score(new RgbImage(side, side, golden.Pixels)).Max();
            if (!(Math.Abs(score - golden.Score) <= Tolerance * Math.Max(golden.Score, MinReferenceScore)))
                return FormattableString.Invariant(
                    $"The model does not score here as it did when it was fitted: golden image {i + 1} of {inspector.Model.GoldenImages.Count} has the score {score:g6} on {inspector.Embedder.Backbone.Runtime.Device}, {golden.Score:g6} is right, and at most {Tolerance:p0} of difference is rounding. Fit again on this machine, or find out what is wrong with its device."
                );
        }
        return null;
    }

    /// <summary>
    /// The training images with the smallest, the middle and the largest leave-one-out score, and how the model scores
    /// them here.
    /// </summary>
    /// <param name="inspector">The model.</param>
    /// <param name="pixels">A training image at the image size.</param>
    internal static IReadOnlyList<GoldenImage> ChooseGoldenImages(ModelScorer inspector, Func<int, RgbImage> pixels)
    {
        var order = Enumerable
            .Range(0, inspector.Model.TrainingImages.Count)
            .OrderBy(i => inspector.Model.Calibration.Scores[i])
            .ToArray();
        return
        [
            .. new[] { order[0], order[order.Length / 2], order[^1] }
                .Distinct()
                .Select(i =>
                {
                    var image = pixels(i);
                    return new GoldenImage(image.Pixels, inspector.Score(image).Max());
                }),
        ];
    }
}
