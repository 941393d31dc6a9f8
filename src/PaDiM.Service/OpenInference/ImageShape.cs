using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>What the input tensor of a request holds.</summary>
/// <param name="Count">Number of images.</param>
/// <param name="Layout">The layout of raw pixels; null for encoded files.</param>
internal sealed record ImageShape(int Count, PixelLayout? Layout)
{
    public const string InputName = "image",
        Bytes = "BYTES",
        Uint8 = "UINT8";

    /// <summary>Reads the type and the shape of the input tensor.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="datatype">The type of its elements.</param>
    /// <param name="shape">Its extents.</param>
    /// <param name="decoder">Knows how large images may be.</param>
    /// <param name="maxImages">The most images of a request.</param>
    public static Outcome<ImageShape> Parse(
        string? name,
        string? datatype,
        IReadOnlyList<long> shape,
        ImageDecoder decoder,
        int maxImages
    )
    {
        if (name != InputName)
            return Problems.InvalidRequest(
                $"There is no input '{RequestIdentity.Clean(name)}'; the only one is '{InputName}'."
            );
        PixelLayout? layout = null;
        switch (datatype, shape)
        {
            case (Bytes, [_] or [_, 1]):
                break;
            case (Uint8, [_, >= 1 and <= int.MaxValue, >= 1 and <= int.MaxValue, 1 or 3]):
                var (height, width) = ((int)shape[1], (int)shape[2]);
                if (decoder.CheckSize(width, height) is { } tooLarge)
                    return Problems.Image(tooLarge);
                layout = new PixelLayout(width, height, shape[3] == 3 ? PixelFormat.Rgb24 : PixelFormat.Gray8);
                break;
            default:
                return Problems.InvalidRequest(
                    $"'{InputName}' is a tensor of {Bytes} with the shape [n], of n encoded files, or of {Uint8} with "
                        + "the shape [n, height, width, 3] (RGB) or [n, height, width, 1] (grey)."
                );
        }
        if (shape[0] < 1)
            return Problems.InvalidRequest($"'{InputName}' holds no image; its first extent is their number.");
        return shape[0] <= maxImages ? new ImageShape((int)shape[0], layout) : Problems.TooManyFiles(maxImages);
    }

    /// <summary>Creates the problem of a sample that is none.</summary>
    public static Problem CreateSampleProblem() =>
        Problems.InvalidRequest("The samples of an image are whole numbers from 0 to 255.");

    /// <summary>Creates the problem of a tensor that has not as many bytes or elements as its shape says.</summary>
    public static Problem CreateLengthProblem() =>
        Problems.InvalidRequest(
            $"The data of '{InputName}' does not have the length that its shape, its type and binary_data_size say."
        );
}
