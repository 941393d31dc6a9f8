using Microsoft.Extensions.Options;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;

namespace PaDiM.Service.Images;

/// <summary>
/// Creates thumbnails of stored images. Their decoder has its own memory limit: waiting for a job's memory would hold a
/// core that scoring needs.
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

    /// <summary>Creates a JPEG; null if the bytes are no longer a valid image.</summary>
    public Task<byte[]?> CreateAsync(byte[] bytes, CancellationToken cancellationToken) =>
        gate.RunAsync(
            async aside =>
                await _decoder.DecodeAsync(bytes, isUrgent: false, aside) is DecodeResult.Decoded decoded
                    ? ImageEncoder.Thumbnail(decoded.Image, Side)
                    : null,
            isUrgent: false,
            cancellationToken
        );
}
