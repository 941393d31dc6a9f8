using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;

namespace PaDiM.Service.Images;

/// <summary>Creates small pictures of stored images.</summary>
internal sealed class Thumbnails(ImageDecoder decoder, ImageAdmission admission)
{
    private const int Side = 256;

    private static readonly DecodeOptions Options = new() { MinimumSide = 2 * Side };

    private readonly ImageDecoder _decoder = decoder.WithoutTimeLimit();

    /// <summary>Creates a JPEG; null if the bytes are no longer an image.</summary>
    public async Task<byte[]?> CreateAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        if (!_decoder.TryProbe(bytes, out var header, out _, Options))
            return null;
        using var lease = await admission.AcquireAsync(header.DecodeBytes, Priority.Batch, cancellationToken);
        return _decoder.Decode(bytes, Options).TryGetImage(out var image, out _)
            ? ImageEncoder.EncodeThumbnail(image, Side)
            : null;
    }
}
