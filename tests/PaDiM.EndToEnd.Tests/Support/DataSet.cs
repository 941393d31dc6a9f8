using PaDiM.Imaging.Decoding;

namespace PaDiM.EndToEnd.Tests.Support;

/// <summary>
/// A folder laid out as MVTec AD: <c>train/good</c>, <c>test/DEFECT</c> and <c>ground_truth/DEFECT/NAME_mask.png</c>.
/// </summary>
public sealed class DataSet(string root)
{
    private const string Good = "good";
    private static readonly ImageDecoder Decoder = new();

    public IEnumerable<(string Name, byte[] Bytes)> Training =>
        Files("train", Good).Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)));

    /// <summary>Test images; those of good parts have no mask.</summary>
    public IReadOnlyList<(string Path, string? Mask)> Test =>
        [
            .. from folder in Directory.GetDirectories(Path.Combine(root, "test")).Order(StringComparer.Ordinal)
            let defect = Path.GetFileName(folder)
            from path in Files("test", defect)
            select (
                path,
                defect == Good
                    ? null
                    : Path.Combine(root, "ground_truth", defect, Path.GetFileNameWithoutExtension(path) + "_mask.png")
            ),
        ];

    /// <summary>Where a mask is white, by the nearest pixel.</summary>
    public static bool[] ReadMask(string? path, int height, int width)
    {
        var mask = new bool[height * width];
        if (path is null)
            return mask;
        var image = Assert.IsType<DecodeResult.Decoded>(Decoder.Decode(File.ReadAllBytes(path))).Image;
        for (var y = 0; y < height; y++)
        for (var x = 0; x < width; x++)
        {
            var fromY = (int)((y + 0.5) * image.Height / height);
            var fromX = (int)((x + 0.5) * image.Width / width);
            mask[y * width + x] = image.Pixels[3 * (fromY * image.Width + fromX)] > 127;
        }
        return mask;
    }

    private IEnumerable<string> Files(params string[] folders) =>
        Directory.GetFiles(Path.Combine([root, .. folders])).Order(StringComparer.Ordinal);
}
