using System.Text;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Files;
using PaDiM.Engine.Fitting;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Cli.Evaluation;

/// <summary>Presents the images of a dataset as a protocol demands.</summary>
/// <param name="protocol">The protocol.</param>
/// <param name="seed">The seed of everything random.</param>
/// <param name="significantBits">The bits that count in samples of more than 8 bits.</param>
internal sealed class ProtocolView(EvaluationProtocol protocol, int seed, int? significantBits = null)
{
    private readonly ImageDecoder _decoder = new();
    private readonly DecodeOptions _decoding = new() { SignificantBits = significantBits };

    /// <summary>Creates an image to fit. If the view is random, seed and name are part of its identity.</summary>
    public TrainingImage ToTraining(DatasetImage image)
    {
        var plain = FolderFit.ToTrainingImage(image.Path);
        if (protocol == EvaluationProtocol.Aligned)
            return plain;
        var identity = FileHash.Compute(
            Encoding.UTF8.GetBytes(FormattableString.Invariant($"{plain.Sha256}|{seed}|{image.Name}"))
        );
        return new TrainingImage(
            identity,
            () => Apply(plain.Read(), _decoding, new NonAlignedView(seed, image.Name).RenderImage),
            plain.Name
        );
    }

    /// <summary>Creates an image to measure on.</summary>
    public TestImage ToTest(LabelledImage labelled)
    {
        var image = labelled.Image;
        var read = labelled.ReadMask;
        if (protocol == EvaluationProtocol.Aligned)
            return new TestImage(image.Path, labelled.Defect, () => File.ReadAllBytes(image.Path), read);
        var view = new NonAlignedView(seed, image.Name);
        return new TestImage(
            image.Path,
            labelled.Defect,
            () => Apply(File.ReadAllBytes(image.Path), _decoding, view.RenderImage),
            read is null ? null : () => Apply(read(), DecodeOptions.Mask, view.RenderMask)
        );
    }

    /// <summary>
    /// Applies a view. Bytes that cannot be decoded are returned unchanged: the pipeline reports them with name and
    /// reason.
    /// </summary>
    private byte[] Apply(byte[] bytes, DecodeOptions options, Func<RgbImage, RgbImage> view) =>
        _decoder.Decode(bytes, options).TryGetImage(out var image, out _) ? ImageEncoder.EncodePng(view(image)) : bytes;
}
