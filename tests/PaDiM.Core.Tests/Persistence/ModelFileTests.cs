using System.Text.Json.Nodes;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Persistence;

public sealed class ModelFileTests
{
    [Theory]
    [InlineData(ReductionMethod.Random)]
    [InlineData(ReductionMethod.SemiOrthogonal)]
    [InlineData(ReductionMethod.None)]
    public void A_model_reads_back_as_it_was_written_and_writes_the_same_bytes(ReductionMethod method)
    {
        var model = Model(method);
        var bytes = Bytes(model);
        var read = ModelFile.Read(new MemoryStream(bytes));
        Assert.Equal(bytes, Bytes(read));
        Assert.Equal(model.Settings, read.Settings);
        Assert.Equal(model.Distribution.Mean, read.Distribution.Mean);
        Assert.IsType(model.Distribution.GetType(), read.Distribution);
        Assert.Equal(model.Ignored, read.Ignored);
        Assert.Equal(model.GoldenImages.Select(image => image.Score), read.GoldenImages.Select(image => image.Score));
        Assert.Equal(
            model.GoldenImages.SelectMany(image => image.Pixels),
            read.GoldenImages.SelectMany(image => image.Pixels)
        );
        Assert.Equal(model.Calibration.Scores, read.Calibration.Scores);
        Assert.Equal(model.TrainingImages, read.TrainingImages);
        Assert.True(model.Reduction.IsSameAs(read.Reduction));
    }

    [Fact]
    public void Scores_that_do_not_count_are_kept()
    {
        var model = Model(ReductionMethod.Random);
        model = model with { Calibration = new ThresholdCalibration(model.Calibration.Scores, [1]) };
        Assert.Equal([1], ModelFile.Read(new MemoryStream(Bytes(model))).Calibration.Uncounted);
    }

    [Fact]
    public void A_model_of_few_images_reads_back_in_its_subspace()
    {
        var images = RandomEmbeddings.Draw(3, 4, new Grid(2, 2), 12);
        var model = Model(ReductionMethod.None) with
        {
            Reduction = ChannelReduction.Draw(ReductionMethod.None, [8, 4], 12, 9),
            Distribution = PatchDistribution.Freeze(Fitting.Gather(images), Fitting.Ridge),
            GoldenImages = [],
            Ignored = null,
        };
        var bytes = Bytes(model);
        var read = ModelFile.Read(new MemoryStream(bytes));
        Assert.Equal(bytes, Bytes(read));
        var written = (LowRankDistribution)model.Distribution;
        var low = Assert.IsType<LowRankDistribution>(read.Distribution);
        Assert.Equal((3, 3), (written.Rank, low.Rank));
        Assert.Equal(written.Basis, low.Basis);
        Assert.Equal(written.Whitening, low.Whitening);
        Assert.Equal(written.Ridge, low.Ridge);
    }

    [Fact]
    public void Damage_to_the_data_is_seen_wherever_it_is()
    {
        var bytes = Bytes(Model(ReductionMethod.Random));
        for (var at = DataStart(bytes); at < bytes.Length; at += at < DataStart(bytes) + 2000 ? 1 : 13)
        {
            bytes[at] ^= 1;
            Assert.Throws<InvalidDataException>(() => ModelFile.Read(new MemoryStream(bytes)));
            bytes[at] ^= 1;
        }
    }

    [Fact]
    public void Damage_to_the_header_is_never_met_with_an_unexpected_exception()
    {
        var bytes = Bytes(Model(ReductionMethod.SemiOrthogonal));
        var random = new Random(1);
        for (var at = 0; at < DataStart(bytes); at++)
        {
            var whole = bytes[at];
            bytes[at] = (byte)random.Next(256);
            OnlyInvalidData(bytes);
            bytes[at] = whole;
        }
    }

    [Fact]
    public void A_file_cut_short_anywhere_is_refused()
    {
        var bytes = Bytes(Model(ReductionMethod.None));
        for (var length = 0; length < bytes.Length; length += 7)
            Assert.Throws<InvalidDataException>(() => ModelFile.Read(new MemoryStream(bytes, 0, length)));
    }

    /// <summary>Writes a correct checksum: the author of a hostile file can do that too.</summary>
    [Theory]
    [InlineData("findings", "[null]")]
    [InlineData("findings", """[{"index":5,"kind":"Blurred","deviations":6,"of":null}]""")]
    [InlineData("findings", """[{"index":0,"kind":"NearDuplicate","deviations":6,"of":-1}]""")]
    [InlineData("findings", """[{"index":0,"kind":99,"deviations":6,"of":null}]""")]
    [InlineData("findings", """[{"index":0,"kind":"Blurred","deviations":1e999,"of":null}]""")]
    [InlineData("trainingImages", "[null,null,null,null,null]")]
    [InlineData("trainingImages", """["x","y","z","u","v"]""")]
    [InlineData("trainingImages", "[]")]
    [InlineData("settings", "null")]
    [InlineData("settings", """{"epsilon":1e-50}""")]
    [InlineData("settings", """{"alignment":"Rigid"}""")]
    public void A_description_that_makes_no_sense_is_refused(string member, string value) =>
        Assert.Throws<InvalidDataException>(() =>
            ModelFile.Read(Rewritten(Model(ReductionMethod.Random), card => card[member] = JsonNode.Parse(value)))
        );

    [Fact]
    public void A_file_of_before_there_were_findings_and_golden_images_is_read()
    {
        var model = ModelFile.Read(
            Rewritten(
                Model(ReductionMethod.Random) with
                {
                    GoldenImages = [],
                    Ignored = null,
                },
                card => card.Remove("findings")
            )
        );
        Assert.Empty(model.Findings);
        Assert.Empty(model.GoldenImages);
    }

    [Fact]
    public void More_golden_images_than_a_model_keeps_are_refused()
    {
        var golden = new GoldenImage(new Grid(32, 32), new byte[32 * 32 * 3], 1);
        Assert.Throws<InvalidDataException>(() =>
            ModelFile.Read(
                new MemoryStream(
                    Bytes(Model(ReductionMethod.Random) with { GoldenImages = [golden, golden, golden, golden] })
                )
            )
        );
    }

    [Fact]
    public void A_model_that_does_not_say_how_JPEGs_are_decoded_is_of_the_time_of_full_size()
    {
        var model = Model(ReductionMethod.Random) with { GoldenImages = [], Ignored = null };
        Assert.Equal(JpegDecoding.Scaled, ModelFile.Read(Rewritten(model, _ => { })).Settings.JpegDecoding);
        Assert.Equal(
            model.Settings with
            {
                JpegDecoding = JpegDecoding.FullSize,
            },
            ModelFile.Read(Rewritten(model, card => card["settings"]!.AsObject().Remove("jpegDecoding"))).Settings
        );
    }

    [Fact]
    public void A_model_that_does_not_say_which_bits_count_was_fitted_to_all_of_them()
    {
        var model = Model(ReductionMethod.Random) with { GoldenImages = [], Ignored = null };
        Assert.Null(ModelFile.Read(Rewritten(model, _ => { })).Settings.SignificantBits);
        Assert.Equal(
            12,
            ModelFile.Read(Rewritten(model, card => card["settings"]!["significantBits"] = 12)).Settings.SignificantBits
        );
        Assert.Equal(
            model.Settings with
            {
                SignificantBits = FitSettings.MaxSignificantBits,
            },
            ModelFile.Read(Rewritten(model, card => card["settings"]!.AsObject().Remove("significantBits"))).Settings
        );
        foreach (var bits in new[] { 7, 17 })
            Assert.Throws<InvalidDataException>(() =>
                ModelFile.Read(Rewritten(model, card => card["settings"]!["significantBits"] = bits))
            );
    }

    [Fact]
    public void A_model_that_says_nothing_of_smoothing_and_shrinkage_has_what_was_the_default_once()
    {
        var model = Model(ReductionMethod.Random);
        var settings = ModelFile
            .Read(
                Rewritten(
                    model,
                    card =>
                    {
                        card["settings"]!.AsObject().Remove("blurSigma");
                        card["settings"]!.AsObject().Remove("shrinkage");
                    }
                )
            )
            .Settings;
        Assert.Equal((4, ShrinkageMethod.None), (settings.BlurSigma, settings.Shrinkage));
    }

    [Fact]
    public void A_model_whose_fit_did_not_say_what_it_chose_is_not_shrunk()
    {
        var model = Model(ReductionMethod.Random);
        Assert.Equal(ShrinkageMethod.Auto, model.Settings.Shrinkage);
        Assert.Equal(ShrinkageMethod.None, ModelFile.Read(new MemoryStream(Bytes(model))).Shrinkage);
    }

    [Fact]
    public void A_model_that_says_nothing_of_ridge_and_weights_was_fitted_with_epsilon_alone()
    {
        var model = Model(ReductionMethod.Random);
        model = model with
        {
            Settings = model.Settings with { RelativeRidge = 0.5, QuietExponent = 1.5 },
            GoldenImages = [],
            Ignored = null,
        };
        Assert.Equal(model.Settings, ModelFile.Read(Rewritten(model, _ => { })).Settings);
        Assert.Equal(
            model.Settings with
            {
                RelativeRidge = 0,
                QuietExponent = 0,
            },
            ModelFile
                .Read(
                    Rewritten(
                        model,
                        card =>
                        {
                            card["settings"]!.AsObject().Remove("relativeRidge");
                            card["settings"]!.AsObject().Remove("quietExponent");
                        }
                    )
                )
                .Settings
        );
        foreach (var name in new[] { "relativeRidge", "quietExponent" })
            Assert.Throws<InvalidDataException>(() =>
                ModelFile.Read(Rewritten(model, card => card["settings"]![name] = -1))
            );
    }

    [Fact]
    public void A_model_states_the_shrinkage_that_its_fit_chose()
    {
        var model = Model(ReductionMethod.Random);
        model = model with
        {
            Settings = model.Settings with { Shrinkage = ShrinkageMethod.Auto },
            Shrinkage = ShrinkageMethod.LedoitWolf,
            GoldenImages = [],
            Ignored = null,
        };
        Assert.Equal(ShrinkageMethod.LedoitWolf, ModelFile.Read(new MemoryStream(Bytes(model))).Shrinkage);
        Assert.Throws<InvalidDataException>(() => ModelFile.Read(Rewritten(model, card => card.Remove("shrinkage"))));
        foreach (var wrong in new JsonNode[] { "Auto", "Best", 7 })
            Assert.Throws<InvalidDataException>(() =>
                ModelFile.Read(Rewritten(model, card => card["shrinkage"] = wrong.DeepClone()))
            );
    }

    [Fact]
    public void A_position_that_does_not_count_reads_back_in_its_subspace()
    {
        var images = RandomEmbeddings.Draw(3, 3, new Grid(2, 2), 12);
        foreach (var image in images)
            image[1].Clear();
        var regularisation = new Regularisation(Fitting.Epsilon) { RelativeRidge = 0.5, QuietExponent = 1.5 };
        var model = Model(ReductionMethod.None) with
        {
            Reduction = ChannelReduction.Draw(ReductionMethod.None, [8, 4], 12, 9),
            Distribution = PatchDistribution.Freeze(Fitting.Gather(images), regularisation),
            GoldenImages = [],
            Ignored = null,
        };
        var low = Assert.IsType<LowRankDistribution>(ModelFile.Read(new MemoryStream(Bytes(model))).Distribution);
        Assert.Equal(float.PositiveInfinity, low.Ridge.Span[1]);
        Assert.All(
            SafetensorsReader.Open(new MemoryStream(Bytes(model))).ReadArray<float>("ridge", 2, 2).Index(),
            ridge => Assert.Equal(ridge.Index == 1, ridge.Item == 0)
        );
        foreach (var wrong in new[] { 0, -1, float.NaN })
            Assert.Throws<ArgumentException>(() =>
                new LowRankDistribution(
                    low.Grid,
                    low.Dimensions,
                    low.Rank,
                    low.Mean,
                    low.Basis,
                    low.Whitening,
                    new[] { 1, 1, wrong, 1 }
                )
            );
    }

    [Fact]
    public void A_model_of_before_the_local_average_has_none_and_scores_by_the_maximum()
    {
        var model = Model(ReductionMethod.Random) with { GoldenImages = [], Ignored = null };
        model = model with
        {
            Settings = model.Settings with { LocalAverage = true, ImageScore = ImageScoreMethod.Top },
        };
        Assert.Equal(model.Settings, ModelFile.Read(Rewritten(model, _ => { })).Settings);
        Assert.Equal(
            model.Settings with
            {
                LocalAverage = false,
                ImageScore = ImageScoreMethod.Max,
            },
            ModelFile
                .Read(
                    Rewritten(
                        model,
                        card =>
                        {
                            card["settings"]!.AsObject().Remove("localAverage");
                            card["settings"]!.AsObject().Remove("imageScore");
                        }
                    )
                )
                .Settings
        );
        Assert.Throws<InvalidDataException>(() =>
            ModelFile.Read(Rewritten(model, card => card["settings"]!["imageScore"] = 7))
        );
    }

    [Fact]
    public void A_model_whose_positions_share_a_Gaussian_reads_back_as_it_was_written()
    {
        var model = Shared();
        var bytes = Bytes(model);
        var read = ModelFile.Read(new MemoryStream(bytes));
        Assert.Equal(bytes, Bytes(read));
        Assert.Equal(model.Settings, read.Settings);
        var distribution = Assert.IsType<SharedDistribution>(read.Distribution);
        Assert.Equal(new Grid(2, 3), distribution.Grid);
        Assert.Equal(model.Distribution.Mean, distribution.Mean);
        Assert.Equal([1L, 1, 3], SafetensorsReader.Open(new MemoryStream(bytes)).GetShape("mean"));
    }

    [Theory]
    [InlineData("Own")]
    [InlineData("Some")]
    public void Positions_that_do_not_fit_the_file_s_tensors_are_refused(string positions)
    {
        var file = SafetensorsReader.Open(new MemoryStream(Bytes(Shared())));
        var card = file.Metadata["padim"];
        Assert.Contains("\"positions\":\"Shared\"", card, StringComparison.Ordinal);
        Assert.DoesNotContain("positions", CardOf(Model(ReductionMethod.Random)), StringComparison.Ordinal);
        var rewritten = Write(
            card.Replace("\"Shared\"", $"\"{positions}\"", StringComparison.Ordinal),
            SafetensorsTensor.Create("grid", [2], new[] { 2, 3 })
        );
        if (positions == "Own")
            Assert.Equal(1, ModelFile.Read(rewritten).Distribution.Grid.Positions);
        else
            Assert.Throws<InvalidDataException>(() => ModelFile.Read(rewritten));
        foreach (var (height, width) in new[] { (0, 3), (-2, -3), (int.MaxValue, int.MaxValue), (2049, 1) })
            Assert.Throws<InvalidDataException>(() =>
                ModelFile.Read(Write(card, SafetensorsTensor.Create("grid", [2], new[] { height, width })))
            );
        Assert.Throws<InvalidDataException>(() => ModelFile.Read(Write(card)));

        MemoryStream Write(string text, params SafetensorsTensor[] grid)
        {
            var stream = new MemoryStream();
            Safetensors.Write(
                stream,
                new Dictionary<string, string> { ["format"] = file.Metadata["format"], ["padim"] = text },
                [
                    .. grid,
                    SafetensorsTensor.Create("mean", [1, 1, 3], file.Read<float>("mean", 1, 1, 3)),
                    SafetensorsTensor.Create("whitening", [1, 1, 6], file.Read<short>("whitening", 1, 1, 6)),
                    SafetensorsTensor.Create("scale", [1, 1, 3], file.Read<ushort>("scale", 1, 1, 3)),
                    SafetensorsTensor.Create("calibration", [5], file.Read<double>("calibration", 5)),
                    SafetensorsTensor.Create("channels", [3], file.Read<int>("channels", 3)),
                ]
            );
            stream.Position = 0;
            return stream;
        }
    }

    [Fact]
    public void Statistics_are_not_taken_for_a_model()
    {
        var stream = new MemoryStream();
        StatisticsFile.Write(stream, Fitting.Gather(RandomEmbeddings.Draw(1, 3, new Grid(2, 2), 3)));
        stream.Position = 0;
        Assert.Throws<InvalidDataException>(() => ModelFile.Read(stream));
    }

    private static PadimModel Model(ReductionMethod method)
    {
        var reduction = ChannelReduction.Draw(method, [4, 3], 3, 9);
        var images = RandomEmbeddings.Draw(2, 5, new Grid(2, 2), reduction.Dimensions);
        return new PadimModel(
            new FitSettings
            {
                Reduction = method,
                Dimensions = 3,
                Seed = 9,
                ImageSize = 32,
            },
            new BackboneIdentity("tiny", new string('a', 64), ["layer1", "layer2"]),
            reduction,
            PatchDistribution.Freeze(Fitting.Gather(images), Fitting.Ridge),
            new ThresholdCalibration([1, 3, 2, 5, 4]),
            [.. Enumerable.Range(0, 5).Select(i => new string((char)('0' + i), 64))]
        )
        {
            GoldenImages =
            [
                new(new Grid(32, 32), Enumerable.Range(0, 32 * 32 * 3).Select(i => (byte)(7 * i)).ToArray(), 3.25f),
                new(new Grid(32, 32), new byte[32 * 32 * 3], 0),
            ],
            Ignored = [.. Enumerable.Range(0, 32 * 32).Select(i => i % 5 == 0)],
        };
    }

    private static PadimModel Shared()
    {
        var model = Model(ReductionMethod.Random);
        var statistics = new SharedStatistics(new Grid(2, 3), 3);
        statistics.Add(RandomEmbeddings.Draw(4, 5, new Grid(2, 3), 3));
        return model with
        {
            Settings = model.Settings with { Positions = PatchPositions.Shared },
            Distribution = PatchDistribution.Freeze(statistics, Fitting.Ridge),
            GoldenImages = [],
            Ignored = null,
        };
    }

    private static string CardOf(PadimModel model) =>
        SafetensorsReader.Open(new MemoryStream(Bytes(model))).Metadata["padim"];

    /// <summary>Writes a model file with another card and the matching checksum.</summary>
    private static MemoryStream Rewritten(PadimModel model, Action<JsonObject> change)
    {
        var file = SafetensorsReader.Open(new MemoryStream(Bytes(model)));
        var card = JsonNode.Parse(file.Metadata["padim"])!.AsObject();
        change(card);
        var tensors = new List<SafetensorsTensor>
        {
            SafetensorsTensor.Create("mean", [2, 2, 3], file.Read<float>("mean", 2, 2, 3)),
            SafetensorsTensor.Create("whitening", [2, 2, 6], file.Read<short>("whitening", 2, 2, 6)),
            SafetensorsTensor.Create("scale", [2, 2, 3], file.Read<ushort>("scale", 2, 2, 3)),
            SafetensorsTensor.Create("calibration", [5], file.Read<double>("calibration", 5)),
            SafetensorsTensor.Create("channels", [3], file.Read<int>("channels", 3)),
        };
        var stream = new MemoryStream();
        Safetensors.Write(
            stream,
            new Dictionary<string, string> { ["format"] = file.Metadata["format"], ["padim"] = card.ToJsonString() },
            tensors
        );
        stream.Position = 0;
        return stream;
    }

    private static byte[] Bytes(PadimModel model)
    {
        var stream = new MemoryStream();
        ModelFile.Write(stream, model);
        return stream.ToArray();
    }

    private static int DataStart(byte[] bytes) => 8 + (int)BitConverter.ToInt64(bytes);

    private static void OnlyInvalidData(byte[] bytes)
    {
        try
        {
            ModelFile.Read(new MemoryStream(bytes));
        }
        catch (InvalidDataException)
        {
            // The expected exception; a change that can still be read, such as one letter of a name, is fine.
        }
    }
}
