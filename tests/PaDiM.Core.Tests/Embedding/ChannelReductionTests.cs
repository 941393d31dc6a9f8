using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Tests.Support;
using PaDiM.TestSupport.Reference;

namespace PaDiM.Core.Tests.Embedding;

public sealed class ChannelReductionTests
{
    private static readonly int[] TapChannels = [5, 9, 14];

    /// <summary>Grids of the three taps: even halves, odd sizes that do not divide, one size for all, oblong.</summary>
    public static TheoryData<int[]> Grids =>
        new()
        {
            new[] { 16, 16, 8, 8, 4, 4 },
            new[] { 63, 63, 31, 31, 16, 16 },
            new[] { 7, 7, 7, 7, 7, 7 },
            new[] { 9, 14, 5, 7, 1, 1 },
            new[] { 1, 1, 1, 1, 1, 1 },
        };

    [Theory]
    [MemberData(nameof(Grids))]
    public void Selecting_before_replicating_equals_selecting_from_the_concatenation(int[] sizes)
    {
        var reduction = Assert.IsType<ChannelSelection>(
            ChannelReduction.Draw(ReductionMethod.Random, TapChannels, 11, 7)
        );
        var taps = Taps(sizes);
        Equal(ReferenceEmbedding.Select(Concatenate(taps), reduction.Channels.ToArray()), reduction.Embed(taps), 0);
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void Projecting_before_replicating_equals_projecting_the_concatenation(int[] sizes)
    {
        var reduction = Assert.IsType<ChannelProjection>(
            ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 19, 7)
        );
        var taps = Taps(sizes);
        Equal(
            ReferenceEmbedding.Project(Concatenate(taps), reduction.Weights.ToArray(), 19),
            reduction.Embed(taps),
            1e-6
        );
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void No_reduction_is_the_concatenation(int[] sizes)
    {
        var taps = Taps(sizes);
        var reduction = ChannelReduction.Draw(ReductionMethod.None, TapChannels, 3, 7);
        Assert.Equal(28, reduction.Dimensions);
        Equal(Concatenate(taps), reduction.Embed(taps), 0);
    }

    [Fact]
    public void A_selection_may_leave_whole_taps_out()
    {
        var taps = Taps([4, 4, 2, 2, 1, 1]);
        foreach (var chosen in new int[][] { [0, 4], [5, 13], [14, 27], [2, 20] })
            Equal(
                ReferenceEmbedding.Select(Concatenate(taps), chosen),
                new ChannelSelection(ReductionMethod.Random, TapChannels, chosen, 0).Embed(taps),
                0
            );
    }

    [Fact]
    public void The_finest_tap_need_not_come_first()
    {
        ReferenceEmbedding.Tap[] taps = [.. Taps([8, 8, 4, 4, 2, 2]).Reverse()];
        var reduction = (ChannelProjection)ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, [14, 9, 5], 6, 3);
        var embedding = reduction.Embed(taps);
        Assert.Equal(new Grid(8, 8), embedding.Grid);
        Equal(ReferenceEmbedding.Project(Concatenate(taps), reduction.Weights.ToArray(), 6), embedding, 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(28)]
    public void Projection_columns_are_orthonormal(int d)
    {
        var weights = (
            (ChannelProjection)ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, d, 1024)
        ).Weights.ToArray();
        for (var i = 0; i < d; i++)
        for (var j = 0; j < d; j++)
            Assert.Equal(
                i == j ? 1 : 0,
                Enumerable.Range(0, 28).Sum(c => (double)weights[c * d + i] * weights[c * d + j]),
                1e-6
            );
    }

    [Fact]
    public void Chosen_channels_are_distinct_ascending_and_within_range()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var chosen = (
                (ChannelSelection)ChannelReduction.Draw(ReductionMethod.Random, TapChannels, 1 + seed % 28, seed)
            ).Channels.ToArray();
            Assert.Equal(1 + seed % 28, chosen.Length);
            Assert.Equal(chosen.Distinct().Order(), chosen);
            Assert.All(chosen, c => Assert.InRange(c, 0, 27));
        }
    }

    [Fact]
    public void Every_channel_is_chosen_about_equally_often()
    {
        var counts = new int[28];
        for (var seed = 0; seed < 2800; seed++)
            foreach (
                var c in (
                    (ChannelSelection)ChannelReduction.Draw(ReductionMethod.Random, TapChannels, 7, seed)
                ).Channels
            )
                counts[c]++;
        // A quarter of 2800 draws each; 5 standard deviations are 115.
        Assert.All(counts, count => Assert.InRange(count, 700 - 115, 700 + 115));
    }

    [Theory]
    [InlineData(ReductionMethod.Random)]
    [InlineData(ReductionMethod.SemiOrthogonal)]
    public void The_same_seed_draws_the_same_reduction_and_another_seed_another(ReductionMethod method)
    {
        var taps = Taps([4, 4, 2, 2, 1, 1]);
        float[] Embedded(int seed) => ChannelReduction.Draw(method, TapChannels, 8, seed).Embed(taps).Values;
        Assert.Equal(Embedded(5), Embedded(5));
        Assert.NotEqual(Embedded(5), Embedded(6));
    }

    [Fact]
    public void The_seed_the_method_and_the_taps_are_remembered()
    {
        var reduction = ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 8, 99);
        Assert.Equal(
            (ReductionMethod.SemiOrthogonal, 28, 8, 99),
            (reduction.Method, reduction.InputChannels, reduction.Dimensions, reduction.Seed)
        );
        Assert.Equal(TapChannels, reduction.TapChannels);
    }

    [Theory]
    [InlineData(ReductionMethod.Random, 0)]
    [InlineData(ReductionMethod.Random, 29)]
    [InlineData(ReductionMethod.SemiOrthogonal, 0)]
    [InlineData(ReductionMethod.SemiOrthogonal, 29)]
    public void More_dimensions_than_channels_or_fewer_than_one_are_refused(ReductionMethod method, int d) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ChannelReduction.Draw(method, TapChannels, d, 1));

    [Fact]
    public void Stated_channels_and_weights_that_do_not_fit_are_refused()
    {
        foreach (var channels in new int[][] { [-1, 2], [3, 28], [4, 4], [5, 2] })
            Assert.Throws<ArgumentException>(() =>
                new ChannelSelection(ReductionMethod.Random, TapChannels, channels, 0)
            );
        Assert.Throws<ArgumentException>(() => new ChannelProjection(TapChannels, new float[28 * 4 - 1], 4, 0));
    }

    [Fact]
    public void A_map_with_too_few_values_for_its_shape_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            new ReducedTaps([new FeatureMap(new float[16 * 4 - 1], new Grid(4, 4))], 4)
        );

    [Fact]
    public void An_embedding_of_the_right_shape_is_written_over()
    {
        var reduction = ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 8, 1);
        var taps = Taps([4, 4, 2, 2, 1, 1]);
        FeatureMap[] maps = [.. taps.Select((tap, i) => TapReductions.Reduce(reduction, i, tap))];
        var used = new PatchEmbedding(new Grid(4, 4), 8, [.. Enumerable.Repeat(7f, 128)]);
        Assert.Same(used, PatchEmbedding.FromTaps(new ReducedTaps(maps, 8), reuse: used));
        Assert.Equal(PatchEmbedding.FromTaps(new ReducedTaps(maps, 8)).Values, used.Values);
        Assert.NotSame(used, PatchEmbedding.FromTaps(new ReducedTaps(maps[1..], 8), reuse: used));
    }

    [Fact]
    public void Reductions_with_equal_weights_are_the_same_whatever_drew_them()
    {
        var one = ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 8, 1);
        Assert.True(one.IsSameAs(ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 8, 1)));
        Assert.False(one.IsSameAs(ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 8, 2)));
        Assert.False(one.IsSameAs(ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, TapChannels, 9, 1)));
        Assert.False(one.IsSameAs(ChannelReduction.Draw(ReductionMethod.SemiOrthogonal, [9, 5, 14], 8, 1)));
    }

    private static ReferenceEmbedding.Tap[] Taps(int[] sizes)
    {
        var random = new Random(sizes.Sum());
        return
        [
            .. TapChannels.Select(
                (channels, i) =>
                {
                    var height = sizes[2 * i];
                    var width = sizes[2 * i + 1];
                    return new ReferenceEmbedding.Tap(
                        [.. RandomEmbeddings.Normals(random, channels * height * width).Select(z => (float)z)],
                        channels,
                        height,
                        width
                    );
                }
            ),
        ];
    }

    private static double[][] Concatenate(ReferenceEmbedding.Tap[] taps) => ReferenceEmbedding.Concatenate(taps);

    private static void Equal(double[][] expected, PatchEmbedding actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Grid.Positions);
        Assert.Equal(expected[0].Length, actual.Dimensions);
        Close.OfScale([.. expected.SelectMany(x => x)], Array.ConvertAll(actual.Values, v => (double)v), tolerance);
    }
}
