using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Engine.Tests.Fitting;

public sealed class FitPipelineTests
{
    [Theory]
    [InlineData(DefectKind.Scratch)]
    [InlineData(DefectKind.Dent)]
    public void A_defective_part_scores_above_every_good_one(DefectKind kind)
    {
        using var fits = new Fits();
        var scorer = new ModelScorer(fits.Run(fits.Parts(0, 20)), Fits.Tiny);
        var good = Enumerable.Range(100, 5).Max(seed => Score(scorer, SyntheticParts.Good(seed, 72)));
        Assert.True(Score(scorer, SyntheticParts.Defective(200, kind, 72).Image) > good);
    }

    [Fact]
    public void The_same_inputs_give_the_same_bytes_whatever_their_order()
    {
        using var one = new Fits();
        using var other = new Fits();
        var model = Fits.Bytes(one.Run(one.Parts(0, 11)));
        Assert.Equal(model, Fits.Bytes(other.Run([.. other.Parts(0, 11).Reverse()])));
        // From kept embeddings too.
        Assert.Equal(model, Fits.Bytes(one.Run(one.Parts(0, 11))));
    }

    [Fact]
    public void A_fit_that_was_stopped_goes_on_to_the_same_bytes()
    {
        using var one = new Fits();
        using var other = new Fits();
        var model = Fits.Bytes(one.Run(one.Parts(0, 21)));
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            other.Run(other.Parts(0, 21), progress: _ => stop.Cancel(), stop: stop.Token)
        );
        // Some of the next batch are kept as well: what is embedded together differs from the fit in one go.
        other.Run([.. other.Parts(0, 21).OrderBy(image => image.Sha256).Skip(10).Take(3)]);
        Assert.Equal(model, Fits.Bytes(other.Run(other.Parts(0, 21))));
        Assert.Equal(21, other.Reads);
    }

    [Fact]
    public void Every_image_is_read_once_and_none_whose_embedding_is_kept()
    {
        using var fits = new Fits();
        fits.Run(fits.Parts(0, 10));
        Assert.Equal(10, fits.Reads);
        fits.Run(fits.Parts(0, 10));
        Assert.Equal(10, fits.Reads);
        fits.Run(fits.Parts(0, 13));
        Assert.Equal(13, fits.Reads);
        fits.Run(fits.Parts(0, 10), settings: Fits.Settings with { Epsilon = 0.1, BlurSigma = 2 });
        Assert.Equal(13, fits.Reads);
        fits.Run(fits.Parts(0, 10), settings: Fits.Settings with { Seed = 5 });
        Assert.Equal(23, fits.Reads);
    }

    [Fact]
    public void A_damaged_embedding_is_made_again()
    {
        using var fits = new Fits();
        var model = Fits.Bytes(fits.Run(fits.Parts(0, 6)));
        var file = Directory.EnumerateFiles(fits.StorePath, "*", SearchOption.AllDirectories).First();
        using (var stream = File.OpenWrite(file))
            stream.SetLength(stream.Length / 2);
        Assert.Equal(model, Fits.Bytes(fits.Run(fits.Parts(0, 6))));
        Assert.Equal(7, fits.Reads);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fewer_than_two_images_are_an_error_that_says_so(int count)
    {
        using var fits = new Fits();
        var fault = Assert.Throws<UserFaultException>(() => fits.Run(fits.Parts(0, count)));
        Assert.Equal("too_few_images", fault.Fault.Code);
        Assert.Contains("at least 2 images", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_images_are_enough()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 2));
        Assert.True(model.IsRankDeficient);
        Assert.True(double.IsFinite(Score(new ModelScorer(model, Fits.Tiny), SyntheticParts.Good(9, 72))));
    }

    [Fact]
    public void Pictures_of_one_colour_are_copies_whatever_their_size()
    {
        using var fits = new Fits();
        TrainingImage[] images = [.. Enumerable.Range(1, 5).Select(side => fits.Image(Plain(side, 0)))];
        var fault = Assert.Throws<UserFaultException>(() => fits.Run(images));
        Assert.Equal("too_few_images", fault.Fault.Code);
        Assert.Contains("5 images are copies of one picture", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_of_several_colours_give_finite_scores()
    {
        using var fits = new Fits();
        var model = fits.Run([.. Enumerable.Range(1, 5).Select(side => fits.Image(Plain(side, (byte)side)))]);
        Assert.All(model.Calibration.Scores, score => Assert.True(double.IsFinite(score)));
        Assert.True(double.IsFinite(Score(new ModelScorer(model, Fits.Tiny), SyntheticParts.Good(1, 72))));
    }

    private static byte[] Plain(int side, byte grey)
    {
        var pixels = new byte[3 * side * side];
        Array.Fill(pixels, grey);
        return new RgbImage(side, side, pixels).ToBmp();
    }

    [Fact]
    public void An_image_that_cannot_be_read_is_named()
    {
        using var fits = new Fits();
        var bad = fits.Image([1, 2, 3]);
        var fault = Assert.Throws<UserFaultException>(() => fits.Run([.. fits.Parts(0, 3), bad]));
        Assert.Equal("image_unreadable", fault.Fault.Code);
        Assert.Contains(bad.Sha256, fault.Message, StringComparison.Ordinal);
        fault = Assert.Throws<UserFaultException>(() =>
            fits.Run([.. fits.Parts(0, 3), bad with { Name = "line1/part.png" }])
        );
        Assert.Contains("line1/part.png", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_overflows_on_an_image_is_an_error_and_nothing_of_it_is_kept()
    {
        using var fits = new Fits();
        using var folder = new BackboneFolder();
        // Harmless on black, infinite on white.
        var graph = new OnnxGraph()
            .Input("x", -1, 3, -1, -1)
            .Weight("factor", [1], [200])
            .Node("Mul", ["x", "factor"], ["y"])
            .Node("Exp", ["y"], ["z"])
            .Output("z");
        var backbone = folder.Put("own", graph, """{ "taps": [{ "tensor": "z" }] }""").Registry.Open("own");
        var images = Enumerable
            .Range(1, 3)
            .Select(side =>
                fits.Image(new RgbImage(side, side, [.. Enumerable.Repeat((byte)255, 3 * side * side)]).ToBmp())
            )
            .ToArray();
        var fault = Assert.Throws<UserFaultException>(() =>
            fits.Run(images, settings: Fits.Settings with { ImageSize = 32, Dimensions = 2 }, backbone: backbone)
        );
        Assert.Equal("embedding_not_finite", fault.Fault.Code);
        Assert.Empty(Directory.EnumerateFiles(fits.StorePath, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_file_that_is_gone_is_the_files_own_error()
    {
        using var fits = new Fits();
        var gone = new TrainingImage(new string('0', 64), () => File.ReadAllBytes("/no/such/folder/part.png"));
        Assert.ThrowsAny<IOException>(() => fits.Run([.. fits.Parts(0, 3), gone]));
    }

    [Fact]
    public void Progress_rises_to_the_end_through_the_stages_in_order()
    {
        using var fits = new Fits();
        var steps = new List<FitProgress>();
        fits.Run(fits.Parts(0, 10), progress: steps.Add);
        Assert.Equal(steps.OrderBy(step => step.Stage).ThenBy(step => step.Progress), steps);
        Assert.All(steps, step => Assert.InRange(step.Progress, 0, 1));
        Assert.Equal(1, steps[^1].Progress, 1e-9);
    }

    [Fact]
    public void A_cancelled_fit_stops()
    {
        using var fits = new Fits();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            fits.Run(fits.Parts(0, 4), stop: new CancellationToken(true))
        );
    }

    [Theory]
    [InlineData(ReductionMethod.Random)]
    [InlineData(ReductionMethod.None)]
    public void Other_reductions_fit_too(ReductionMethod method)
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 4), settings: Fits.Settings with { ImageSize = 32, Reduction = method });
        Assert.Equal(method == ReductionMethod.None ? 448 : 24, model.Distribution.Dimensions);
        Assert.Equal(new Grid(8, 8), model.Distribution.Grid);
    }

    [Fact]
    public void The_profile_of_the_paper_crops()
    {
        using var fits = new Fits();
        var model = fits.Run(fits.Parts(0, 3), settings: Fits.Settings with { ImageSize = 64, CropSize = 56 });
        Assert.Equal(new Grid(14, 14), model.Distribution.Grid);
        Assert.Equal(
            new Grid(56, 56),
            new ModelScorer(model, Fits.Tiny).Score(ToImage(SyntheticParts.Good(5, 72))).Grid
        );
    }

    [Fact]
    public void A_model_of_another_network_is_refused_at_scoring()
    {
        using var fits = new Fits();
        using var folder = new BackboneFolder();
        var model = fits.Run(fits.Parts(0, 3));
        var other = folder.Put("own", OnnxGraph.Classifier(-1, 3, -1, -1)).Registry.Open("own");
        Assert.Contains(
            "another file",
            Assert.Throws<InvalidDataException>(() => new ModelScorer(model, other)).Message,
            StringComparison.Ordinal
        );
    }

    private static float Score(ModelScorer scorer, RgbImage part) => scorer.Score(ToImage(part)).Max();

    private static PaDiM.Imaging.RgbImage ToImage(RgbImage part) => TestDecoder.Image(part.ToBmp());
}
