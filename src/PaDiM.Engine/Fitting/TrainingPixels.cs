using System.Buffers;
using System.Collections.Concurrent;
using PaDiM.Core;
using PaDiM.Core.Alignment;
using PaDiM.Core.DatasetReview;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Inference;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Provides training images at the image size, from which the template of an alignment, the golden images and the
/// review of the set are made. Stores them on disk.
/// </summary>
internal sealed class TrainingPixels(
    FitSettings settings,
    IReadOnlyList<TrainingImage> images,
    ImageDecoder decoder,
    DecodeOptions decoding,
    EmbeddingStore store,
    ParallelOptions parallel,
    Embedder? cutter = null
)
{
    /// <summary>Rounds of registration and averaging; after three the mean image no longer changes.</summary>
    private const int TemplateRounds = 3;

    private readonly string _regionKey = cutter?.Preprocessing.RegionKey ?? "";
    private readonly ConcurrentDictionary<string, ImageTraits> _traits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _contents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Grid> _sizes = new(StringComparer.Ordinal);

    /// <summary>Gets the images; <see cref="DropCopies"/> removes some.</summary>
    public IReadOnlyList<TrainingImage> Images { get; private set; } = images;

    /// <summary>Gets the pixels of an image.</summary>
    public RgbImage this[int index] => this[Images[index]];

    private RgbImage this[TrainingImage image]
    {
        get
        {
            if (store.ReadPixels(settings, decoding, image.Sha256, _regionKey) is { } stored)
            {
                if (stored.FileSize is { } size)
                    _sizes[image.Sha256] = size;
                return stored.Pixels;
            }
            var decoded = image.Decode(decoder, decoding);
            decoded = cutter?.Cut(decoded, out _) ?? decoded;
            _sizes[image.Sha256] = decoded.FileSize;
            var shrunk = Preprocessor.Shrink(decoded.Image, settings.CreateFrame(decoded.Size));
            store.WritePixels(settings, decoding, image.Sha256, shrunk, decoded.FileSize, _regionKey);
            return shrunk;
        }
    }

    /// <summary>Notes size and content of an image that has just been shrunk. Thread-safe.</summary>
    public void Identify(string sha256, Grid size, RgbImage shrunk)
    {
        _sizes[sha256] = size;
        _contents[sha256] = PixelHash.Compute(shrunk);
    }

    /// <summary>
    /// Gets the hashes of what images show at the image size: to the model, images with the same hash are copies.
    /// </summary>
    public string[] GetContents(IReadOnlyList<TrainingImage> some)
    {
        var contents = new string[some.Count];
        ParallelLoop.For(
            contents.Length,
            parallel,
            i =>
            {
                var image = some[i];
                if (!_contents.TryGetValue(image.Sha256, out contents[i]!))
                {
                    var shrunk = this[image];
                    _contents[image.Sha256] = contents[i] = PixelHash.Compute(shrunk);
                    _traits.TryAdd(image.Sha256, Measure(shrunk));
                }
            },
            fault => fault is UserFaultException
        );
        return contents;
    }

    /// <summary>Removes images that show the same as an earlier one: copies count once.</summary>
    public void DropCopies()
    {
        var contents = GetContents(Images);
        Images = [.. Images.Zip(contents).DistinctBy(image => image.Second).Select(image => image.First)];
    }

    /// <summary>
    /// Stores an image that has just been shrunk and identified, and measures it while it is in memory. Thread-safe for
    /// different images.
    /// </summary>
    public void Add(string sha256, RgbImage shrunk)
    {
        store.WritePixels(settings, decoding, sha256, shrunk, _sizes[sha256], _regionKey);
        _traits[sha256] = Measure(shrunk);
    }

    /// <summary>Builds the mean image that others are registered to, grey, at the image size.</summary>
    public float[] BuildTemplate() =>
        MeanTemplate.Build(
            () =>
                Enumerable
                    .Range(0, Images.Count)
                    .Select(i => Preprocessor.ToGrey(Preprocessor.ToImageSize(this[i], settings))),
            settings.GetImageSize(),
            TemplateRounds,
            parallel
        );

    /// <summary>Gets the size of each image at the image size, without a border.</summary>
    public Grid[] GetShrunkSizes()
    {
        var sizes = new Grid[Images.Count];
        ParallelLoop.For(
            sizes.Length,
            parallel,
            i =>
            {
                // Only in a letterbox do sizes depend on the images.
                if (settings.Aspect != AspectMode.Letterbox)
                    sizes[i] = settings.GetImageSize();
                else if ((_sizes.TryGetValue(Images[i].Sha256, out var size) ? size : Images[i].Size) is { } known)
                    sizes[i] = settings.CreateFrame(settings.GetSeenSize(known)).Target;
                else
                {
                    var shrunk = this[i];
                    sizes[i] = new Grid(shrunk.Height, shrunk.Width);
                }
            },
            fault => fault is UserFaultException
        );
        return sizes;
    }

    /// <summary>Measures what all images are like as input.</summary>
    /// <param name="preprocessing">Measures as the score does.</param>
    public InputTraits[] GetInputTraits(Preprocessor preprocessing)
    {
        var all = new InputTraits[Images.Count];
        ParallelLoop.For(
            all.Length,
            parallel,
            i =>
                all[i] = preprocessing.Measure(
                    this[i],
                    _sizes.TryGetValue(Images[i].Sha256, out var size) ? size : Images[i].Size
                ),
            fault => fault is UserFaultException
        );
        return all;
    }

    /// <summary>Measures all images.</summary>
    public ImageTraits[] GetTraits()
    {
        var all = new ImageTraits[Images.Count];
        ParallelLoop.For(
            all.Length,
            parallel,
            i => all[i] = _traits.GetValueOrDefault(Images[i].Sha256) ?? Measure(this[i]),
            fault => fault is UserFaultException
        );
        return all;
    }

    private static ImageTraits Measure(RgbImage image)
    {
        var pixels = image.Pixels;
        var floats = ArrayPool<float>.Shared.Rent(image.Pixels.Length);
        for (var i = 0; i < pixels.Length; i++)
            floats[i] = pixels[i];
        var measured = ImageTraits.Measure(floats.AsSpan(0, pixels.Length), new Grid(image.Height, image.Width));
        ArrayPool<float>.Shared.Return(floats);
        return measured;
    }
}
