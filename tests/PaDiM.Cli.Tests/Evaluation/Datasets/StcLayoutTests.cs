using System.Text.Json;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Cli.Tests.Support;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Evaluation.Datasets;

public sealed class StcLayoutTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    [Fact]
    public void Videos_are_grouped_by_scene_and_frames_ordered_by_number()
    {
        foreach (var video in new[] { "01_001", "01_002", "02_001", "03_001" })
            TinyDataset.WriteTrainingVideo(_folder.Path, video, 12);
        TinyDataset.WritePixelMasks(_folder.Path, "01_0014", TinyDataset.WriteTestVideo(_folder.Path, "01_0014"));
        TinyDataset.WriteFrameMasks(_folder.Path, "02_0001", TinyDataset.WriteTestVideo(_folder.Path, "02_0001"));

        var dataset = DatasetLayouts.Open(_folder.Path, "auto", frameStep: 5);
        Assert.Equal(["01", "02"], dataset.Categories);
        var scene = dataset.Read("01");
        Assert.False(scene.IsTexture);
        Assert.Equal(
            ["0", "5", "10", "0", "5", "10"],
            scene.Training.Select(image => Path.GetFileNameWithoutExtension(image.Path))
        );
        Assert.Equal("testing/frames/01_0014/10.bmp", scene.Testing[2].Name);
        Assert.Equal([null, null, "anomaly"], scene.Label().Select(image => image.Defect));
        Assert.Equal([false, false, true], scene.Label().Select(image => image.ReadMask is not null));
        Assert.Equal([null, null, "anomaly"], dataset.Read("02").Label().Select(image => image.Defect));
        Assert.All(dataset.Read("02").Label(), image => Assert.Null(image.ReadMask));
    }

    [Fact]
    public void A_scene_gives_the_same_result_with_masks_in_an_array_and_in_images()
    {
        TinyDataset.WriteTrainingVideo(_folder.Combine("array"), "01_001");
        TinyDataset.WriteTrainingVideo(_folder.Combine("images"), "01_001");
        TinyDataset.WritePixelMasks(
            _folder.Combine("array"),
            "01_0014",
            TinyDataset.WriteTestVideo(_folder.Combine("array"), "01_0014")
        );
        TinyDataset.WriteMaskImages(
            _folder.Combine("images"),
            "01_0014",
            TinyDataset.WriteTestVideo(_folder.Combine("images"), "01_0014")
        );

        var array = Evaluate("array");
        var images = Evaluate("images");
        Assert.Equal(array, images);
        var row = JsonDocument.Parse(array).RootElement;
        Assert.Equal("01", row.GetProperty("category").GetString());
        Assert.True(row.GetProperty("report").GetProperty("pixels").GetProperty("auroc").GetDouble() > 0.9);
        Assert.Equal(
            2,
            Assert
                .Single(row.GetProperty("report").GetProperty("perDefect").EnumerateArray())
                .GetProperty("count")
                .GetInt32()
        );
    }

    [Fact]
    public void Videos_without_a_scene_are_the_category_of_the_root()
    {
        TinyDataset.WriteTrainingVideo(_folder.Combine("yard"), "first");
        TinyDataset.WriteFrameMasks(
            _folder.Combine("yard"),
            "second",
            TinyDataset.WriteTestVideo(_folder.Combine("yard"), "second")
        );
        Assert.Equal(["yard"], new StcLayout(_folder.Combine("yard") + Path.DirectorySeparatorChar, 1).Categories);
    }

    [Fact]
    public void Masks_that_are_missing_or_of_another_video_and_scenes_without_training_fail_with_one_sentence()
    {
        TinyDataset.WriteTrainingVideo(_folder.Path, "01_001");
        var masks = TinyDataset.WriteTestVideo(_folder.Path, "01_0014");
        Assert.Contains("01_0014 has neither masks", Fail(), StringComparison.Ordinal);
        TinyDataset.WritePixelMasks(_folder.Path, "01_0014", masks[1..]);
        Assert.Contains("has 11 frames, but the video 01_0014 has 12", Fail(), StringComparison.Ordinal);
        NumpyArray.Write(
            _folder.Combine("testing", "test_pixel_mask", "01_0014.npy"),
            "{'descr': '|u1', 'fortran_order': False, 'shape': (12,), }",
            new byte[12]
        );
        Assert.Contains("1 axes; expected 3", Fail(), StringComparison.Ordinal);
        TinyDataset.WriteTestVideo(_folder.Path, "09_0001", 1);
        Assert.Contains("The scene 09", Fail(), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Fail() =>
        Padim.Run(["evaluate", _folder.Path, "--state", _folder.Combine("state"), .. TinyDataset.Quick]).Failed(1);

    private string Evaluate(string root) =>
        Assert.Single(
            Padim
                .Run([
                    "evaluate",
                    _folder.Combine(root),
                    "--layout",
                    "stc",
                    "--json",
                    "--state",
                    _folder.Combine("state"),
                    .. TinyDataset.Quick,
                ])
                .Succeeded()
                .Lines
        );
}
