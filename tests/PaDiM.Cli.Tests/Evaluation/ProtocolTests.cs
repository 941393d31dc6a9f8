using System.Text.Json;
using PaDiM.Cli.Evaluation;
using PaDiM.Cli.Evaluation.Datasets;
using PaDiM.Cli.Tests.Support;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Preprocessing;
using PaDiM.TestSupport;

namespace PaDiM.Cli.Tests.Evaluation;

public sealed class ProtocolTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public ProtocolTests() => TinyDataset.WriteMvtec(_folder.Combine("bolt"));

    [Fact]
    public void Non_aligned_data_is_measured_five_times_and_reproducibly()
    {
        var first = Evaluate("--protocol", "non-aligned");
        Assert.Equal(first, Evaluate("--protocol", "non-aligned"));
        var row = JsonDocument.Parse(first).RootElement;
        Assert.Equal("non-aligned", row.GetProperty("protocol").GetString());
        Assert.Equal(
            [1024, 1025, 1026, 1027, 1028],
            row.GetProperty("seeds").EnumerateArray().Select(seed => seed.GetInt32())
        );
        var runs = row.GetProperty("runs")
            .EnumerateArray()
            .Select(run => run.GetProperty("report").GetProperty("pixels").GetProperty("auroc").GetDouble())
            .ToArray();
        Assert.Equal(5, runs.Distinct().Count());
        Assert.Equal(
            runs.Average(),
            row.GetProperty("mean").GetProperty("pixels").GetProperty("auroc").GetDouble(),
            12
        );
        Assert.True(row.GetProperty("spread").GetProperty("pixels").GetProperty("auroc").GetDouble() > 0);
        Assert.Equal(
            "dent",
            Assert
                .Single(row.GetProperty("mean").GetProperty("perDefect").EnumerateArray())
                .GetProperty("defect")
                .GetString()
        );
        Assert.False(row.TryGetProperty("report", out _));
    }

    [Fact]
    public void A_seed_gives_the_same_result_alone_and_among_others()
    {
        var several = JsonDocument
            .Parse(Evaluate("--protocol", "non-aligned", "--seed", "3", "--repeats", "2"))
            .RootElement;
        var one = JsonDocument
            .Parse(Evaluate("--protocol", "non-aligned", "--seed", "4", "--repeats", "1"))
            .RootElement;
        Assert.Equal(
            one.GetProperty("report").GetRawText(),
            several.GetProperty("runs")[1].GetProperty("report").GetRawText()
        );
    }

    [Fact]
    public void Non_aligned_images_have_their_final_size()
    {
        var ran = Padim
            .Run(
                "evaluate",
                _folder.Path,
                "--protocol",
                "non-aligned",
                "--profile",
                "paper",
                "--dimensions",
                "5",
                "--repeats",
                "1",
                "--json",
                "--state",
                _folder.Combine("state")
            )
            .Succeeded();
        var settings = JsonDocument.Parse(Assert.Single(ran.Lines)).RootElement.GetProperty("settings");
        Assert.Equal(
            (224, JsonValueKind.Null),
            (settings.GetProperty("imageSize").GetInt32(), settings.GetProperty("cropSize").ValueKind)
        );
        Assert.Equal("Random", settings.GetProperty("reduction").GetString());
    }

    [Fact]
    public void The_identity_of_a_training_image_includes_its_seed_and_name()
    {
        var file = _folder.Combine("bolt", "train", "good", "000.bmp");
        Assert.Equal(Identity(EvaluationProtocol.Aligned, 1, "a"), Identity(EvaluationProtocol.Aligned, 2, "b"));
        Assert.Equal(Identity(EvaluationProtocol.NonAligned, 1, "a"), Identity(EvaluationProtocol.NonAligned, 1, "a"));
        Assert.Equal(
            4,
            new[]
            {
                Identity(EvaluationProtocol.Aligned, 1, "a"),
                Identity(EvaluationProtocol.NonAligned, 1, "a"),
                Identity(EvaluationProtocol.NonAligned, 2, "a"),
                Identity(EvaluationProtocol.NonAligned, 1, "b"),
            }
                .Distinct()
                .Count()
        );

        string Identity(EvaluationProtocol protocol, int seed, string name) =>
            new ProtocolView(protocol, seed).ToTraining(new DatasetImage(name, file)).Sha256;
    }

    [Fact]
    public void Image_and_mask_are_transformed_the_same_way()
    {
        var image = _folder.Combine("bolt", "test", "dent", "000.bmp");
        var mask = _folder.Combine("bolt", "ground_truth", "dent", "000_mask.png");
        var test = new ProtocolView(EvaluationProtocol.NonAligned, 7).ToTest(
            new LabelledImage(new DatasetImage("bolt/test/dent/000.bmp", image), "dent", () => File.ReadAllBytes(mask))
        );
        var view = new NonAlignedView(7, "bolt/test/dent/000.bmp");
        Assert.Equal(view.RenderImage(Decode(File.ReadAllBytes(image))).Pixels, Decode(test.Read()).Pixels);
        Assert.Equal(view.RenderMask(Decode(File.ReadAllBytes(mask))).Pixels, Decode(test.ReadMask!()).Pixels);
    }

    [Fact]
    public void An_image_that_cannot_be_read_is_named_in_either_protocol()
    {
        File.WriteAllText(_folder.Combine("bolt", "test", "good", "broken.png"), "no image");
        foreach (var protocol in new[] { "aligned", "non-aligned" })
            Assert.Contains(
                "broken.png",
                Padim
                    .Run([
                        "evaluate",
                        _folder.Path,
                        "--protocol",
                        protocol,
                        "--state",
                        _folder.Combine("state"),
                        .. TinyDataset.Quick,
                    ])
                    .Failed(1),
                StringComparison.Ordinal
            );
    }

    public void Dispose() => _folder.Dispose();

    private string Evaluate(params string[] more) =>
        Assert.Single(
            Padim
                .Run([
                    "evaluate",
                    _folder.Path,
                    "--json",
                    "--state",
                    _folder.Combine("state"),
                    .. TinyDataset.Quick,
                    .. more,
                ])
                .Succeeded()
                .Lines
        );

    private static RgbImage Decode(byte[] bytes) =>
        Assert.IsType<DecodeResult.Decoded>(new ImageDecoder().Decode(bytes)).Image;
}
