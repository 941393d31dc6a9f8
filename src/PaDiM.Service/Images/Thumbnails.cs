using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;

namespace PaDiM.Service.Images;

/// <summary>Creates small pictures of stored images.</summary>
internal sealed class Thumbnails(ImageDecoder decoder, ImageAdmission admission)
{
    private const int Side = 256;

    private readonly ImageDecoder _decoder = decoder.WithoutTimeLimit();

    /// <summary>Creates a JPEG; null if the bytes are no longer an image.</summary>
    /// <param name="bytes">The image.</param>
    /// <param name="decoding">How the images of its category become pixels.</param>
    /// <param name="cancellationToken">Cancels before the image is decoded.</param>
    public async Task<byte[]?> CreateAsync(byte[] bytes, DecodeOptions decoding, CancellationToken cancellationToken)
    {
        decoding = decoding with { MinimumSize = MinimumSize.OfBoth(2 * Side) };
        if (!_decoder.TryProbe(bytes, out var header, out _, decoding))
            return null;
        using var lease = await admission.AcquireAsync(header.DecodeBytes, Priority.Batch, cancellationToken);
        // An image may be deeper than what its category declares since; it can be looked at all the same.
        return
            _decoder.Decode(bytes, decoding).TryGetImage(out var image, out var refused)
            || (
                refused.Fault == ImageFault.SampleOutOfRange
                && _decoder.Decode(bytes, decoding with { SignificantBits = null }).TryGetImage(out image, out _)
            )
            ? ImageEncoder.EncodeThumbnail(image, Side)
            : null;
    }
}
