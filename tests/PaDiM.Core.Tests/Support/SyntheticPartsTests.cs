using System.Buffers.Binary;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Core.Tests.Support;

/// <summary>Tests of the synthetic parts that other tests use.</summary>
public sealed class SyntheticPartsTests
{
    [Fact]
    public void The_same_seed_gives_the_same_part_and_another_seed_another()
    {
        Assert.Equal(SyntheticParts.Good(1).Pixels, SyntheticParts.Good(1).Pixels);
        Assert.NotEqual(SyntheticParts.Good(1).Pixels, SyntheticParts.Good(2).Pixels);
    }

    [Theory]
    [InlineData(DefectKind.Scratch)]
    [InlineData(DefectKind.Dent)]
    public void A_defect_changes_the_part_inside_its_mask_only(DefectKind kind)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var good = SyntheticParts.Good(seed).Pixels;
            var bad = SyntheticParts.Defective(seed, kind);
            Assert.InRange(bad.Mask.Count(inside => inside), 50, 500);
            Assert.DoesNotContain(
                Enumerable.Range(0, bad.Mask.Length),
                i => !bad.Mask[i] && bad.Image.Pixels[3 * i] != good[3 * i]
            );
            Assert.True(
                Enumerable
                    .Range(0, bad.Mask.Length)
                    .Where(i => bad.Mask[i])
                    .Average(i => Math.Abs(bad.Image.Pixels[3 * i] - good[3 * i])) > 20
            );
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public void A_bitmap_is_bottom_up_blue_first_and_padded(int width)
    {
        var image = new RgbImage(width, 2, [.. Enumerable.Range(0, 6 * width).Select(i => (byte)i)]);
        var file = image.ToBmp();
        var stride = (3 * width + 3) / 4 * 4;
        Assert.Equal("BM"u8.ToArray(), file[..2]);
        Assert.Equal(
            (file.Length, 54 + 2 * stride),
            (BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(2)), file.Length)
        );
        Assert.Equal((width, 2, 24), (file[18], file[22], file[28]));
        Assert.Equal([2, 1, 0], file[(54 + stride)..(54 + stride + 3)]);
        Assert.Equal([(byte)(3 * width + 2), (byte)(3 * width + 1), (byte)(3 * width)], file[54..57]);
    }

    [Fact]
    public void A_temporary_folder_is_gone_afterwards()
    {
        string path;
        using (var folder = new TempDirectory())
        {
            path = folder.Path;
            File.WriteAllText(folder.Combine("a.txt"), "");
            Assert.True(Directory.Exists(path));
        }
        Assert.False(Directory.Exists(path));
    }
}
