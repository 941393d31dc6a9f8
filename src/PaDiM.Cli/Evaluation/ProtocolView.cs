using System.Security.Cryptography;
using System.Text;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Engine.Evaluation;
using PaDiM.Engine.Fitting;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Cli.Evaluation;

/// <summary>The images of a dataset as a protocol shows them.</summary>
/// <param name="protocol">The protocol.</param>
/// <param name="seed">Decides what is drawn by chance.</param>
internal sealed class ProtocolView(EvaluationProtocol protocol, int seed)
{
    private readonly ImageDecoder _decoder = new();

    /// <summary>An image to fit. Where chance has a part, seed and name belong to its identity.</summary>
    public TrainingImage ToTraining(DatasetImage image)
    {
        var plain = FolderFit.ToTrainingImage(image.Path);
        if (protocol == EvaluationProtocol.Aligned)
            return plain;
        var identity = SHA256.HashData(
            Encoding.UTF8.GetBytes(FormattableString.Invariant($"{plain.Sha256}|{seed}|{image.Name}"))
        );
        return new TrainingImage(
            Convert.ToHexStringLower(identity),
            () => Show(plain.Read(), new NonAlignedView(seed, image.Name).RenderImage),
            plain.Name
        );
    }

    /// <summary>An image to measure on.</summary>
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
            () => Show(File.ReadAllBytes(image.Path), view.RenderImage),
            read is null ? null : () => Show(read(), view.RenderMask)
        );
    }

    /// <summary>
    /// What cannot be decoded is left as it is: the pipeline refuses it with its name and the reason.
    /// </summary>
    private byte[] Show(byte[] bytes, Func<RgbImage, RgbImage> view) =>
        _decoder.Decode(bytes) is DecodeResult.Decoded decoded ? ImageEncoder.EncodePng(view(decoded.Image)) : bytes;
}
