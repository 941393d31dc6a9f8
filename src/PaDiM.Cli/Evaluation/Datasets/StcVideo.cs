using PaDiM.Core.Persistence;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>
/// Represents a test video with its ground truth: <c>testing/test_pixel_mask/VIDEO.npy</c> of shape (frames, h, w), or
/// a folder of that name with masks of frames, or else labels of frames in <c>testing/test_frame_mask/VIDEO.npy</c>.
/// </summary>
/// <param name="root">The dataset's folder.</param>
/// <param name="name">The name of the video.</param>
/// <param name="frames">All its frames, in order.</param>
/// <param name="step">Every Nth frame is used.</param>
internal sealed class StcVideo(string root, string name, IReadOnlyList<DatasetImage> frames, int step)
{
    private const string Defect = "anomaly";

    private readonly string _maskArray = Path.Combine(root, "testing", "test_pixel_mask", $"{name}.npy");
    private readonly string _maskFolder = Path.Combine(root, "testing", "test_pixel_mask", name);
    private readonly string _labelArray = Path.Combine(root, "testing", "test_frame_mask", $"{name}.npy");
    private ILookup<string?, string>? _maskFiles;

    /// <summary>Gets the frames to measure on.</summary>
    public IReadOnlyList<DatasetImage> SampledFrames { get; } = [.. TakeEvery(step, frames)];

    /// <summary>Gets the files that hold the ground truth.</summary>
    public IReadOnlyList<string> TruthFiles =>
        File.Exists(_maskArray) ? [_maskArray]
        : Directory.Exists(_maskFolder) ? [.. SampledFrames.Select(FindMaskFile).OfType<string>()]
        : File.Exists(_labelArray) ? [_labelArray]
        : [];

    /// <summary>Takes every Nth frame, starting with the first.</summary>
    public static IEnumerable<DatasetImage> TakeEvery(int step, IReadOnlyList<DatasetImage> frames) =>
        frames.Where((_, i) => i % step == 0);

    /// <summary>
    /// Pairs the frames with their ground truth. A frame is anomalous if its mask has a positive pixel.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no ground truth, or it is damaged or has another number of
    /// frames.</exception>
    public IEnumerable<LabelledImage> Label()
    {
        if (File.Exists(_maskArray))
            return Label(OpenTruth(_maskArray, 3), mask => () => ToPng(_maskArray, mask));
        if (Directory.Exists(_maskFolder))
            return SampledFrames.Select(LabelByFile);
        if (File.Exists(_labelArray))
            return Label(OpenTruth(_labelArray, 1), _ => null);
        throw new InvalidDataException(
            $"The video {name} has neither masks in testing/test_pixel_mask nor labels in testing/test_frame_mask."
        );
    }

    private IEnumerable<LabelledImage> Label(NumpyFile truth, Func<int, Func<byte[]>?> mask) =>
        SampledFrames.Select(
            (frame, i) =>
                truth.ReadPositive(i * step).Contains(true)
                    ? new LabelledImage(frame, Defect, mask(i * step))
                    : new LabelledImage(frame, null, null)
        );

    private LabelledImage LabelByFile(DatasetImage frame)
    {
        if (FindMaskFile(frame) is not { } file)
            return new LabelledImage(frame, null, null);
        if (
            !new ImageDecoder()
                .Decode(File.ReadAllBytes(file), DecodeOptions.Mask)
                .TryGetImage(out var mask, out var refused)
        )
            throw new InvalidDataException($"{file} cannot be read: {refused.Detail}");
        return MaskImage.GetMarks(mask).Contains(true)
            ? new LabelledImage(frame, Defect, () => File.ReadAllBytes(file))
            : new LabelledImage(frame, null, null);
    }

    private string? FindMaskFile(DatasetImage frame) =>
        (_maskFiles ??= Directory.EnumerateFiles(_maskFolder).ToLookup(Path.GetFileNameWithoutExtension))[
            Path.GetFileNameWithoutExtension(frame.Path)
        ]
            .FirstOrDefault();

    private NumpyFile OpenTruth(string path, int rank)
    {
        var file = NumpyFile.Open(path);
        if (file.Shape.Count != rank)
            throw new InvalidDataException($"{path} has {file.Shape.Count} axes; expected {rank}.");
        return file.Shape[0] == frames.Count
            ? file
            : throw new InvalidDataException(
                $"{path} has {file.Shape[0]} frames, but the video {name} has {frames.Count}."
            );
    }

    private static byte[] ToPng(string path, int frame)
    {
        var file = NumpyFile.Open(path);
        var positive = file.ReadPositive(frame);
        var pixels = new byte[3 * positive.Length];
        for (var i = 0; i < positive.Length; i++)
            if (positive[i])
                pixels.AsSpan(3 * i, 3).Fill(byte.MaxValue);
        return ImageEncoder.EncodePng(new RgbImage(file.Shape[2], file.Shape[1], pixels));
    }
}
