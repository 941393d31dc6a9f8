using PaDiM.Imaging.Decoding;

namespace PaDiM.Service.Images;

/// <summary>The media types of images, for the document of the service and for its messages.</summary>
internal static class ImageMediaTypes
{
    /// <summary>Gets those of image files, one for each format that is read.</summary>
    public static string[] Files { get; } = [.. Enum.GetValues<ImageFormat>().Select(format => format.MediaType())];

    /// <summary>Gets those of a body that is an image: a file, or raw pixels.</summary>
    public static string[] Bodies { get; } = [.. Files, "image/*", "application/octet-stream"];
}
