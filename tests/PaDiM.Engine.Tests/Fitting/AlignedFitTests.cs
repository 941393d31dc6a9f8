using PaDiM.Core.Alignment;
using PaDiM.Core.Geometry;
using PaDiM.Core.Models;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.Imaging;
using Photo = PaDiM.TestSupport.Parts.RgbImage;

namespace PaDiM.Engine.Tests.Fitting;

public sealed class AlignedFitTests
{
    private const int Side = MovedPlates.Side;
    private static readonly FitSettings AsTheyLie = Fits.Settings with { ImageSize = Side },
        Rigid = AsTheyLie with { Alignment = AlignmentMethod.Rigid };
    private static readonly Lazy<PadimModel> Aligned = new(() => Fit(Rigid)),
        Unaligned = new(() => Fit(AsTheyLie));
    private static readonly int[] Seeds = [.. Enumerable.Range(100, 8)];

    [Fact]
    public void Good_plates_score_below_defective_ones_however_they_lie()
    {
        var scorer = new ModelScorer(Aligned.Value, Fits.Tiny);
        Assert.True(
            Seeds.Max(seed => Score(scorer, MovedPlates.Good(seed)).Max())
                < Seeds.Min(seed => Score(scorer, MovedPlates.Blotted(seed).Image).Max())
        );
    }

    [Fact]
    public void The_calibrated_threshold_lies_between_good_plates_and_defective_ones_with_room_to_both_sides()
    {
        var scorer = new ModelScorer(Aligned.Value, Fits.Tiny);
        var threshold = Aligned.Value.Calibration.GetThreshold(0.05);
        Assert.All(Seeds, seed => Assert.InRange(Score(scorer, MovedPlates.Good(seed)).Max(), 0, threshold));
        Assert.All(
            Seeds,
            seed =>
                Assert.InRange(
                    Score(scorer, MovedPlates.Blotted(seed).Image).Max(),
                    1.5 * threshold,
                    double.PositiveInfinity
                )
        );
    }

    [Fact]
    public void Defects_stand_out_more_than_without_alignment()
    {
        var aligned = Contrast(Aligned.Value);
        var unaligned = Contrast(Unaligned.Value);
        Assert.True(
            aligned > 1.2 * unaligned,
            FormattableString.Invariant($"{aligned} with alignment, {unaligned} without.")
        );

        static double Contrast(PadimModel model)
        {
            var scorer = new ModelScorer(model, Fits.Tiny);
            return Seeds.Average(seed => Score(scorer, MovedPlates.Blotted(seed).Image).Max())
                / Seeds.Average(seed => Score(scorer, MovedPlates.Good(seed)).Max());
        }
    }

    [Fact]
    public void The_map_is_largest_where_the_defect_is_in_the_image_itself()
    {
        var scorer = new ModelScorer(Aligned.Value, Fits.Tiny);
        Assert.All(
            Seeds,
            seed =>
            {
                var (image, x, y) = MovedPlates.Blotted(seed);
                var map = Score(scorer, image);
                Assert.Equal((Side, Side), (map.Grid.Height, map.Grid.Width));
                var peak = Array.IndexOf(map.Values, map.Max());
                Assert.InRange(Math.Sqrt(Math.Pow(peak % Side - x, 2) + Math.Pow(peak / Side - y, 2)), 0, 5);
            }
        );
    }

    [Fact]
    public void A_placement_is_the_movement_between_plates()
    {
        var scorer = new ModelScorer(Aligned.Value, Fits.Tiny);
        // The template lies as it likes; what is between two plates is what moved one to the other.
        scorer.Score(ToImage(MovedPlates.Good(100)), out var first);
        scorer.Score(ToImage(MovedPlates.Good(101)), out var second);
        var expected = MovedPlates.PlacementOf(100).Inverse().Then(MovedPlates.PlacementOf(101));
        var actual = first.Inverse().Then(second);
        foreach (var (x, y) in new[] { (30.0, 30.0), (66, 30), (48, 66) })
        {
            var from = expected.Map(x, y, new Grid(Side, Side));
            var to = actual.Map(x, y, new Grid(Side, Side));
            Assert.InRange(Math.Max(Math.Abs(from.X - to.X), Math.Abs(from.Y - to.Y)), 0, 0.5);
        }
    }

    [Fact]
    public void The_same_images_give_the_same_bytes_whatever_their_order()
    {
        using var fits = new Fits();
        Assert.Equal(Fits.Bytes(Aligned.Value), Fits.Bytes(fits.Run([.. Plates(fits).Reverse()], settings: Rigid)));
        // From kept pixels too. An image is read once for the template and once to be embedded; embeddings are not
        // kept, since the next image makes another template.
        Assert.Equal(Fits.Bytes(Aligned.Value), Fits.Bytes(fits.Run(Plates(fits), settings: Rigid)));
        Assert.Equal(36, fits.Reads);
    }

    [Fact]
    public void The_model_file_keeps_the_template_and_scores_as_before()
    {
        var model = Aligned.Value;
        var read = Fits.Reread(Aligned.Value);
        Assert.Equal(AlignmentMethod.Rigid, read.Settings.Alignment);
        Assert.Equal(Side * Side, model.Template!.Length);
        Assert.Equal(model.Template, read.Template);
        Assert.Null(Fits.Reread(Unaligned.Value).Template);
        var image = MovedPlates.Blotted(100).Image;
        Assert.Equal(
            Score(new ModelScorer(model, Fits.Tiny), image).Values,
            Score(new ModelScorer(read, Fits.Tiny), image).Values
        );
    }

    [Fact]
    public void Another_template_is_another_way_of_embedding()
    {
        var model = Aligned.Value;
        var own = Aligned.Value.Template!;
        string Key(float[]? template) =>
            EmbeddingStore.CreateKey(model.Backbone, model.Settings, model.Reduction, template);
        var other = own.ToArray();
        other[^1] += 1;
        Assert.Equal(3, new[] { Key(null), Key(own), Key(other) }.Distinct().Count());
        Assert.Equal(Key(own), Key([.. own]));
    }

    [Fact]
    public void Embeddings_that_were_aligned_to_another_template_are_made_again()
    {
        using var fits = new Fits();
        fits.Run(Plates(fits, 8), settings: Rigid);
        fits.Reads = 0;
        // Four more plates give another template: pixels are kept, embeddings are of no use.
        Assert.Equal(Fits.Bytes(Aligned.Value), Fits.Bytes(fits.Run(Plates(fits), settings: Rigid)));
        Assert.Equal(4 + 12, fits.Reads);
    }

    [Fact]
    public void A_crop_is_refused_where_parts_are_aligned()
    {
        Assert.Null(Rigid.Validate());
        Assert.Null((AsTheyLie with { CropSize = 80 }).Validate());
        Assert.Contains("cropSize", (Rigid with { CropSize = 80 }).Validate(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_ignored_pixels_move_with_the_plate()
    {
        using var fits = new Fits();
        // The half with the blots, in the template's frame.
        const int First = 51;
        bool[] ignored = [.. Enumerable.Range(0, Side * Side).Select(i => i / Side >= First)];
        var scorer = new ModelScorer(fits.Run(Plates(fits), settings: Rigid, ignored: ignored), Fits.Tiny);
        Assert.All(
            Seeds,
            seed =>
            {
                var (image, x, y) = MovedPlates.Blotted(seed);
                var map = scorer.Score(ToImage(image), out var placement);
                Assert.NotEqual(RigidTransform.Identity, placement);
                Assert.Equal(0, map.Values[(int)Math.Round(y) * Side + (int)Math.Round(x)]);
                for (var i = 0; i < map.Values.Length; i++)
                {
                    var (column, row) = placement.Inverse().Map(i % Side, i / Side, new Grid(Side, Side));
                    // Between pixels of either kind the map is between both; beyond the template there is nothing to
                    // score.
                    if (row >= First)
                        Assert.Equal(0, map.Values[i]);
                    else if (Math.Min(row, column) > 0 && column < Side - 1 && row < First - 1)
                        Assert.NotEqual(0, map.Values[i]);
                }
            }
        );
    }

    private static PadimModel Fit(FitSettings settings)
    {
        using var fits = new Fits();
        return fits.Run(Plates(fits), settings: settings);
    }

    private static TrainingImage[] Plates(Fits fits, int count = 12) =>
        [.. Enumerable.Range(0, count).Select(seed => fits.Image(MovedPlates.Good(seed).ToBmp()))];

    private static AnomalyMap Score(ModelScorer scorer, Photo image) => scorer.Score(ToImage(image));

    private static RgbImage ToImage(Photo image) => TestDecoder.Image(image.ToBmp());
}
