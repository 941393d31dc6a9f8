using Microsoft.Extensions.Options;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;

namespace PaDiM.Service.Images;

/// <summary>
/// Small pictures of stored images. Their decoder's memory is their own: one that waited for a job's would hold a core
/// that the line wants.
/// </summary>
internal sealed class Thumbnails(
    IOptions<ImageOptions> options,
    IOptions<AdmissionOptions> admission,
    DecodingGate gate
)
{
    private const int Side = 256;
    private readonly ImageDecoder _decoder = new(
        options.Value.MaxPixels,
        limit: null,
        admission.Value.DecodeMemoryBytes
    );

    /// <summary>A JPEG; null where the bytes are no image any more.</summary>
    public Task<byte[]?> MakeAsync(byte[] bytes, CancellationToken cancellationToken) =>
        gate.RunAsync(
            async aside =>
                await _decoder.DecodeAsync(bytes, isUrgent: false, aside) is DecodeResult.Decoded decoded
                    ? ImageEncoder.Thumbnail(decoded.Image, Side)
                    : null,
            isUrgent: false,
            cancellationToken
        );
}
