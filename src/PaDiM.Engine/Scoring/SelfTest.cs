using System.Globalization;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Imaging;
using PaDiM.Imaging.Preprocessing;

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
        var count = scorer.Model.GoldenImages.Count;
        for (var i = 0; i < count; i++)
        {
            var golden = scorer.Model.GoldenImages[i];
            var score = scorer.ComputeScore(
                new RgbImage(golden.Size.Width, golden.Size.Height, golden.Pixels),
                compute
            );
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
    /// with the model. With tiles, it chooses only the median, and makes it smaller: a large image takes as long to
    /// score as its tiles together, whenever the model is loaded.
    /// </summary>
    /// <param name="scorer">The model.</param>
    /// <param name="compute">Where to compute.</param>
    /// <param name="getPixels">Gets a training image at the image size, without a border.</param>
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
        var median = order[order.Length / 2];
        int[] chosen = scorer.Embedder.Tiles is null ? [order[0], median, order[^1]] : [median];
        return
        [
            .. chosen
                .Distinct()
                .Select(i =>
                {
                    var image = getPixels(i);
                    if (scorer.Embedder.Tiles is not null)
                        image = Shrink(image, scorer.Model.Settings.GetGoldenSize(new Grid(image.Height, image.Width)));
                    return new GoldenImage(
                        new Grid(image.Height, image.Width),
                        image.Pixels,
                        scorer.ComputeScore(image, compute)
                    );
                }),
        ];
    }

    private static RgbImage Shrink(RgbImage image, Grid size) =>
        Preprocessor.Shrink(
            image,
            ImageFrame.Create(new Grid(image.Height, image.Width), size, size, AspectMode.Stretch)
        );
}
