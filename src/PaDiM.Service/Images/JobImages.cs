using PaDiM.Core.Models;
using PaDiM.Engine.Faults;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Background;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>Reads stored images for jobs. What cannot be read fails the job with <c>image_damaged</c>.</summary>
internal sealed class JobImages(
    BlobStore blobs,
    ImageDecoder decoder,
    ImageAdmission admission,
    BackgroundScheduler threads
)
{
    /// <summary>Gets the decoder of jobs: it has no time limit, and waits for memory behind all requests.</summary>
    public ImageDecoder Decoder { get; } = decoder.WithoutTimeLimit(admission.AcquireForJob);

    /// <summary>Reads the bytes of an image.</summary>
    /// <exception cref="UserFaultException">They are missing or damaged.</exception>
    public byte[] Read(string sha256, CancellationToken cancellationToken) =>
        (
            blobs.IsLocal
                ? blobs.ReadAsync(sha256, cancellationToken).AsTask().GetAwaiter().GetResult()
                : threads.WaitFor(() => blobs.ReadAsync(sha256, cancellationToken).AsTask())
        ) ?? throw Damaged(sha256);

    /// <summary>Pauses while a production line is active, then reads the bytes of an image.</summary>
    /// <exception cref="UserFaultException">They are missing or damaged.</exception>
    public byte[] ReadInTurn(string sha256, CancellationToken cancellationToken)
    {
        admission.PauseForActiveLine(cancellationToken);
        return Read(sha256, cancellationToken);
    }

    /// <summary>Reads an ignore mask: the pixels that do not count, at the image size.</summary>
    /// <exception cref="UserFaultException">The mask is missing or damaged.</exception>
    public bool[] ReadIgnoreMask(string sha256, FitSettings settings, CancellationToken cancellationToken) =>
        Decoder.Decode(Read(sha256, cancellationToken), DecodeOptions.Mask).TryGetImage(out var mask, out _)
            ? MaskImage.GetMarks(mask, settings)
            : throw Damaged(sha256);

    private static UserFaultException Damaged(string sha256) => new(Problems.ImageDamaged(sha256).Fault);
}
