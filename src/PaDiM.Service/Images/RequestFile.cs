using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>Represents a file of a request: its bytes, or why they were not read.</summary>
/// <param name="Field">Name of the form field; <c>files</c> for a raw body.</param>
/// <param name="FileName">The client's name for it: data, never a path.</param>
/// <param name="Bytes">The bytes; empty if there is a fault.</param>
/// <param name="Fault">Why it was not read.</param>
/// <param name="Layout">The layout of raw pixels; null for an encoded image.</param>
internal sealed record RequestFile(string Field, string FileName, byte[] Bytes, Problem? Fault, PixelLayout? Layout)
{
    /// <summary>
    /// Gets the bits that the request declares for samples of more than 8 bits; null for those of the category.
    /// </summary>
    public int? SignificantBits { get; init; }

    /// <summary>Gets the memory that decoding takes, from the header; 0 for raw pixels.</summary>
    public Outcome<long> ProbeDecodeBytes(ImageDecoder decoder, DecodeOptions options)
    {
        if (Layout is not null)
            return 0;
        return decoder.TryProbe(Bytes, out var header, out var refused, options)
            ? header.DecodeBytes
            : Problems.Image(refused);
    }

    /// <summary>Gets the image.</summary>
    public Outcome<DecodeResult.Decoded> ToImage(ImageDecoder decoder, DecodeOptions options)
    {
        // The request knows its file better than the category does.
        if (SignificantBits is { } bits)
            options = options with { SignificantBits = bits };
        var result = Layout is { } layout
            ? ImageDecoder.DecodePixels(Bytes, layout, options)
            : decoder.Decode(Bytes, options);
        return result.TryGetDecoded(out var decoded, out var refused) ? decoded : Problems.Image(refused);
    }
}
