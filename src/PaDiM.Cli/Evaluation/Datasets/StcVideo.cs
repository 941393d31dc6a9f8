using PaDiM.Core.Geometry;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;

namespace PaDiM.Cli.Evaluation.Datasets;

/// <summary>
/// A test video with its truth: <c>testing/test_pixel_mask/VIDEO.npy</c> of shape (frames, h, w), or a folder of that
/// name with a mask for each frame that has one, or else labels of frames in <c>testing/test_frame_mask/VIDEO.npy</c>.
/// </summary>
/// <param name="root">The dataset's folder.</param>
/// <param name="name">The video.</param>
/// <param name="frames">All its frames, in order.</param>
/// <param name="step">Every so manieth is taken.</param>
internal sealed class StcVideo(string root, string name, IReadOnlyList<DatasetImage> frames, int step)
{
    private const string Defect = "anomaly";

    private readonly string _masks = Path.Combine(root, "testing", "test_pixel_mask", $"{name}.npy");
    private readonly string _maskFolder = Path.Combine(root, "testing", "test_pixel_mask", name);
    private readonly string _labels = Path.Combine(root, "testing", "test_frame_mask", $"{name}.npy");
    private ILookup<string?, string>? _maskFiles;

    /// <summary>The frames to measure on.</summary>
    public IReadOnlyList<DatasetImage> Taken { get; } = [.. Every(step, frames)];

    /// <summary>The files that hold the truth.</summary>
    public IReadOnlyList<string> Truth =>
        File.Exists(_masks) ? [_masks]
        : Directory.Exists(_maskFolder) ? [.. Taken.Select(MaskFile).OfType<string>()]
        : File.Exists(_labels) ? [_labels]
        : [];

    /// <summary>Every so manieth of some frames, from the first on.</summary>
    public static IEnumerable<DatasetImage> Every(int step, IReadOnlyList<DatasetImage> frames) =>
        frames.Where((_, i) => i % step == 0);

    /// <summary>The frames with their truth: one is anomalous where its mask has a positive pixel.</summary>
    /// <exception cref="InvalidDataException">There is no truth, or it is damaged or of another number of
    /// frames.</exception>
    public IEnumerable<LabelledImage> Label()
    {
        if (File.Exists(_masks))
            return Label(Open(_masks, 3), mask => () => ToPng(_masks, mask));
        if (Directory.Exists(_maskFolder))
            return Taken.Select(LabelByFile);
        if (File.Exists(_labels))
            return Label(Open(_labels, 1), _ => null);
        throw new InvalidDataException(
            $"The video {name} has neither masks in testing/test_pixel_mask nor labels in testing/test_frame_mask."
        );
    }

    private IEnumerable<LabelledImage> Label(NpyFile truth, Func<int, Func<byte[]>?> mask) =>
        Taken.Select(
            (frame, i) =>
                truth.ReadPositive(i * step).Contains(true)
                    ? new LabelledImage(frame, Defect, mask(i * step))
                    : new LabelledImage(frame, null, null)
        );

    private LabelledImage LabelByFile(DatasetImage frame)
    {
        if (MaskFile(frame) is not { } file)
            return new LabelledImage(frame, null, null);
        var anomalous = new ImageDecoder().Decode(File.ReadAllBytes(file)) switch
        {
            DecodeResult.Decoded decoded => MaskImage
                .GetMarks(decoded.Image, new Grid(decoded.Image.Height, decoded.Image.Width))
                .Contains(true),
            DecodeResult.Refused refused => throw new InvalidDataException($"{file} cannot be read: {refused.Detail}"),
            _ => throw new InvalidOperationException(),
        };
        return anomalous
            ? new LabelledImage(frame, Defect, () => File.ReadAllBytes(file))
            : new LabelledImage(frame, null, null);
    }

    private string? MaskFile(DatasetImage frame) =>
        (_maskFiles ??= Directory.EnumerateFiles(_maskFolder).ToLookup(Path.GetFileNameWithoutExtension))[
            Path.GetFileNameWithoutExtension(frame.Path)
        ]
            .FirstOrDefault();

    private NpyFile Open(string path, int rank)
    {
        var file = NpyFile.Open(path);
        if (file.Shape.Count != rank)
            throw new InvalidDataException($"{path} has {file.Shape.Count} axes, not {rank}.");
        return file.Shape[0] == frames.Count
            ? file
            : throw new InvalidDataException(
                $"{path} is for {file.Shape[0]} frames, but the video {name} has {frames.Count}."
            );
    }

    private static byte[] ToPng(string path, int frame)
    {
        var file = NpyFile.Open(path);
        var positive = file.ReadPositive(frame);
        var pixels = new byte[3 * positive.Length];
        for (var i = 0; i < positive.Length; i++)
            if (positive[i])
                pixels.AsSpan(3 * i, 3).Fill(byte.MaxValue);
        return ImageEncoder.EncodePng(new RgbImage(file.Shape[2], file.Shape[1], pixels));
    }
}
