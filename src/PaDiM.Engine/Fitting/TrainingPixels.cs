using System.Buffers;
using System.Collections.Concurrent;
using PaDiM.Core.Alignment;
using PaDiM.Core.DatasetReview;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Training images at the image size: what the template of an alignment, the golden images and the review of the set
/// are made from. Kept on disk.
/// </summary>
internal sealed class TrainingPixels(
    int side,
    IReadOnlyList<TrainingImage> images,
    ImageDecoder decoder,
    EmbeddingStore store,
    ParallelOptions parallel
)
{
    /// <summary>As many rounds of registering and averaging bring the mean image to rest.</summary>
    private const int TemplateRounds = 3;

    private readonly ConcurrentDictionary<string, ImageTraits> _traits = new(StringComparer.Ordinal);

    /// <summary>The pixels of an image.</summary>
    public RgbImage this[int index]
    {
        get
        {
            var image = images[index];
            if (store.ReadPixels(side, image.Sha256) is { } kept)
                return kept;
            var made = Preprocessor.Shrink(image.Decode(decoder), side);
            store.WritePixels(image.Sha256, made);
            return made;
        }
    }

    /// <summary>
    /// Keeps an image that has just been shrunk, and measures it while it is at hand. Thread-safe for different images.
    /// </summary>
    public void Keep(string sha256, RgbImage shrunk)
    {
        store.WritePixels(sha256, shrunk);
        _traits[sha256] = Measure(shrunk);
    }

    /// <summary>The mean image that others are registered to, shape <c>(side, side)</c>, grey.</summary>
    public float[] Template() =>
        MeanTemplate.Build(
            () => Enumerable.Range(0, images.Count).Select(i => Preprocessor.Grey(Floats(i))),
            side,
            TemplateRounds,
            parallel
        );

    /// <summary>Near-duplicates, blurred and wrongly exposed images.</summary>
    public IReadOnlyList<TrainingFinding> Review()
    {
        var all = new ImageTraits[images.Count];
        Parallel.For(
            0,
            all.Length,
            parallel,
            i => all[i] = _traits.GetValueOrDefault(images[i].Sha256) ?? Measure(this[i])
        );
        return TrainingSetReview.FindAll(all, parallel);
    }

    private ImageTraits Measure(RgbImage image)
    {
        var pixels = image.Pixels;
        var floats = ArrayPool<float>.Shared.Rent(image.Pixels.Length);
        for (var i = 0; i < pixels.Length; i++)
            floats[i] = pixels[i];
        var measured = ImageTraits.Measure(floats.AsSpan(0, pixels.Length), side);
        ArrayPool<float>.Shared.Return(floats);
        return measured;
    }

    private float[] Floats(int index) => Array.ConvertAll(this[index].Pixels, value => (float)value);
}
