using PaDiM.Core.Alignment;
using PaDiM.Core.Training;
using PaDiM.Onnx.Imaging;
using PaDiM.Onnx.Storage;

namespace PaDiM.Onnx.Pipelines;

/// <summary>Training images at the image size: what the template of an alignment, the golden images and the review of the set are made from. Kept on disk.</summary>
internal sealed class TrainingPixels(int side, IReadOnlyList<TrainingImage> images, ImageDecoder decoder, EmbeddingStore store, ParallelOptions parallel)
{
    /// <summary>As many rounds of registering and averaging bring the mean image to rest.</summary>
    private const int TemplateRounds = 3;

    /// <summary>The pixels of an image.</summary>
    public RgbImage this[int index]
    {
        get
        {
            var image = images[index];
            if (store.ReadPixels(side, image.Sha256) is { } kept) return kept;
            var made = Preprocessing.Shrink(image.Decode(decoder), side);
            store.WritePixels(image.Sha256, made);
            return made;
        }
    }

    /// <summary>The mean image that others are registered to, shape <c>(side, side)</c>, grey.</summary>
    public float[] Template() => MeanTemplate.Build(() => Enumerable.Range(0, images.Count).Select(i => Preprocessing.Grey(Floats(i))), side, TemplateRounds, parallel);

    /// <summary>Near-duplicates, blurred and wrongly exposed images.</summary>
    public IReadOnlyList<TrainingFinding> Review()
    {
        var traits = new ImageTraits[images.Count];
        Parallel.For(0, traits.Length, parallel, i => traits[i] = ImageTraits.Of(Floats(i), side));
        return TrainingSetReview.Of(traits, parallel);
    }

    private float[] Floats(int index) => Array.ConvertAll(this[index].Pixels, value => (float)value);
}
