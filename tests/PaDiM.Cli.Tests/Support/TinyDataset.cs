using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Cli.Tests.Support;

/// <summary>Writes datasets of synthetic parts that are small enough for quick fits.</summary>
internal static class TinyDataset
{
    private const int Side = 64;

    /// <summary>Settings that make a fit quick.</summary>
    public static readonly string[] Quick = ["--image-size", "64", "--dimensions", "10"];

    /// <summary>
    /// Writes a category in the layout of MVTec AD: two good test parts and two with a dent, with or without masks.
    /// </summary>
    public static void WriteMvtec(string folder, int training = 6, bool masks = true)
    {
        for (var i = 0; i < training; i++)
            Write(Path.Combine(folder, "train", "good", $"{i:d3}.bmp"), SyntheticParts.Good(i, Side));
        for (var i = 0; i < 2; i++)
        {
            var defective = SyntheticParts.Defective(200 + i, DefectKind.Dent, Side);
            Write(Path.Combine(folder, "test", "good", $"{i:d3}.bmp"), SyntheticParts.Good(100 + i, Side));
            Write(Path.Combine(folder, "test", "dent", $"{i:d3}.bmp"), defective.Image);
            if (masks)
                Write(Path.Combine(folder, "ground_truth", "dent", $"{i:d3}_mask.png"), ToImage(defective.Mask));
        }
    }

    /// <summary>Writes a training video of good parts; frame numbers are not padded.</summary>
    public static void WriteTrainingVideo(string root, string video, int frames = 6)
    {
        for (var i = 0; i < frames; i++)
            Write(Path.Combine(root, "training", "frames", video, $"{i}.bmp"), SyntheticParts.Good(i, Side));
    }

    /// <summary>Writes a test video whose frames show a dent from index 10 on.</summary>
    /// <returns>The mask of each frame.</returns>
    public static bool[][] WriteTestVideo(string root, string video, int frames = 12)
    {
        var masks = new bool[frames][];
        for (var i = 0; i < frames; i++)
        {
            var defective = SyntheticParts.Defective(200 + i, DefectKind.Dent, Side);
            masks[i] = i < 10 ? new bool[Side * Side] : defective.Mask;
            Write(
                Path.Combine(root, "testing", "frames", video, $"{i}.bmp"),
                i < 10 ? SyntheticParts.Good(100 + i, Side) : defective.Image
            );
        }
        return masks;
    }

    /// <summary>Writes the masks of a video as one array.</summary>
    public static void WritePixelMasks(string root, string video, bool[][] masks) =>
        NumpyArray.Write(
            Path.Combine(root, "testing", "test_pixel_mask", $"{video}.npy"),
            $"{{'descr': '|u1', 'fortran_order': False, 'shape': ({masks.Length}, {Side}, {Side}), }}",
            [.. masks.SelectMany(mask => mask.Select(positive => positive ? (byte)1 : (byte)0))]
        );

    /// <summary>Writes the labels of a video's frames.</summary>
    public static void WriteFrameMasks(string root, string video, bool[][] masks) =>
        NumpyArray.Write(
            Path.Combine(root, "testing", "test_frame_mask", $"{video}.npy"),
            $"{{'descr': '|b1', 'fortran_order': False, 'shape': ({masks.Length},), }}",
            [.. masks.Select(mask => mask.Contains(true) ? (byte)1 : (byte)0)]
        );

    /// <summary>Writes masks as images, for the frames that have any.</summary>
    public static void WriteMaskImages(string root, string video, bool[][] masks)
    {
        for (var i = 0; i < masks.Length; i++)
            if (masks[i].Contains(true))
                Write(Path.Combine(root, "testing", "test_pixel_mask", video, $"{i}.png"), ToImage(masks[i]));
    }

    private static RgbImage ToImage(bool[] mask) =>
        new(Side, Side, [.. mask.SelectMany(positive => Enumerable.Repeat(positive ? byte.MaxValue : (byte)0, 3))]);

    private static void Write(string path, RgbImage image)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, image.ToBmp());
    }
}
