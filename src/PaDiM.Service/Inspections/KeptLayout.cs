using System.Text.Json;
using PaDiM.Imaging;
using PaDiM.Service.Images;

namespace PaDiM.Service.Inspections;

/// <summary>What a request said about the bytes of its image, which must be known to decode them again.</summary>
/// <param name="Width">Pixels across, for raw pixels.</param>
/// <param name="Height">Pixels down, for raw pixels.</param>
/// <param name="Format">Samples of one pixel, for raw pixels.</param>
/// <param name="SignificantBits">Bits that count, if the request said so.</param>
internal sealed record KeptLayout(int? Width, int? Height, PixelFormat? Format, int? SignificantBits)
{
    /// <summary>Writes what a request said; null if it said nothing.</summary>
    public static string? Write(RequestFile file) =>
        file is { Layout: null, SignificantBits: null }
            ? null
            : JsonSerializer.Serialize(
                new KeptLayout(file.Layout?.Width, file.Layout?.Height, file.Layout?.Format, file.SignificantBits)
            );

    /// <summary>Gets a file as the request sent it.</summary>
    public static RequestFile Read(string? kept, byte[] bytes)
    {
        var said = kept is null ? null : JsonSerializer.Deserialize<KeptLayout>(kept);
        var layout = said is { Width: { } width, Height: { } height, Format: { } format }
            ? new PixelLayout(width, height, format)
            : null;
        return new RequestFile("files", "", bytes, null, layout) { SignificantBits = said?.SignificantBits };
    }
}
