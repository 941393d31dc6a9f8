using System.Globalization;
using PaDiM.Core.Models;
using PaDiM.Imaging;

namespace PaDiM.Engine.Scoring;

/// <summary>
/// Checks that a model scores here as it did where it was fitted. Every model contains a few of its training images
/// with their scores, and is tested with them whenever it is loaded. Another device, runtime or processor may round
/// differently; wrong preprocessing, a broken kernel or exchanged weights differ by far more.
/// </summary>
public static class SelfTest
{
    /// <summary>Largest relative deviation of a score. Rounding stays orders of magnitude below it.</summary>
    public const double Tolerance = 0.01;

    /// <summary>
    /// Smallest score that deviations are measured against: where all training images are equal, scores are rounding
    /// errors only.
    /// </summary>
    internal const double MinReferenceScore = 0.1;

    /// <summary>Scores the model's golden images, and compares the scores with those of the fit.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="compute">Where to compute.</param>
    /// <returns>A sentence about the first score that deviates; null if all agree, or the model has no
    /// images.</returns>
    public static string? Validate(ModelScorer scorer, ComputeContext compute)
    {
        var size = scorer.Model.Settings.GetImageSize();
        var count = scorer.Model.GoldenImages.Count;
        for (var i = 0; i < count; i++)
        {
            var golden = scorer.Model.GoldenImages[i];
            var score = scorer.GetScore(scorer.Score(new RgbImage(size.Width, size.Height, golden.Pixels), compute));
            if (!(Math.Abs(score - golden.Score) <= Tolerance * Math.Max(golden.Score, MinReferenceScore)))
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"The model does not score here as it did when it was fitted: golden image {i + 1} of {count} has"
                        + $" the score {score:g6} on {scorer.Runtime.Device}, {golden.Score:g6} is right, and rounding"
                        + $" explains at most {Tolerance:p0} of difference. Fit the model again on this machine, or"
                        + $" find out what is wrong with its device."
                );
        }
        return null;
    }

    /// <summary>
    /// Chooses the training images with the smallest, the median and the largest leave-one-out score, and scores them
    /// with the model.
    /// </summary>
    /// <param name="scorer">The model.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="getPixels">Gets a training image at the image size.</param>
    internal static IReadOnlyList<GoldenImage> ChooseGoldenImages(
        ModelScorer scorer,
        ComputeContext compute,
        Func<int, RgbImage> getPixels
    )
    {
        var order = Enumerable
            .Range(0, scorer.Model.TrainingImages.Count)
            .OrderBy(i => scorer.Model.Calibration.Scores[i])
            .ToArray();
        return
        [
            .. new[] { order[0], order[order.Length / 2], order[^1] }
                .Distinct()
                .Select(i =>
                {
                    var image = getPixels(i);
                    return new GoldenImage(image.Pixels, scorer.GetScore(scorer.Score(image, compute)));
                }),
        ];
    }
}
