using PaDiM.Core.Embedding;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Scoring;
using PaDiM.Engine.Tests.Support;
using PaDiM.Engine.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Scoring;

/// <summary>The path that keeps everything on the device, with the CPU for a device.</summary>
public sealed class DeviceScorerTests
{
    [Theory]
    [MemberData(nameof(ExportCase.Kinds), MemberType = typeof(ExportCase))]
    public void It_scores_as_the_kernels(
        ReductionMethod reduction,
        int images,
        int size,
        int? crop,
        double blur,
        bool masked
    )
    {
        var made = new ExportCase(ExportCase.Settings(reduction, size, crop, blur), images, masked);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        foreach (var batch in new[] { 1, 3, 1 })
        {
            var parts = ExportCase.Images(batch);
            Assert.True(scorer.TryScore(made.Prepare(parts), batch, out var maps));
            Assert.All(maps, map => Assert.Equal(scorer.PreparedSize, map.Grid));
            made.AssertEqual(
                made.Expected(parts),
                maps.SelectMany(map => map.Values).ToArray(),
                [.. maps.Select(map => map.Max())]
            );
        }
    }

    [Theory]
    [MemberData(nameof(ExportCase.AveragedKinds), MemberType = typeof(ExportCase))]
    public void With_a_local_average_and_the_highest_pixels_it_scores_as_the_kernels(
        ReductionMethod reduction,
        int images,
        int size,
        int? crop,
        double blur,
        bool masked
    )
    {
        var made = new ExportCase(ExportCase.AveragedSettings(reduction, size, crop, blur), images, masked);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        var parts = ExportCase.Images(3);
        Assert.True(scorer.TryScore(made.Prepare(parts), 3, out var maps));
        made.AssertEqual(
            made.Expected(parts),
            maps.SelectMany(map => map.Values).ToArray(),
            [.. maps.Select(made.GetScore)]
        );
    }

    [Fact]
    public void It_scores_with_a_vision_transformer_as_the_kernels()
    {
        using var folder = new BackboneFolder();
        var backbone = folder.Put("own", TransformerFiles.Read("free")).Registry.Open("own");
        var made = new ExportCase(Fits.Settings with { ImageSize = 70 }, backbone: backbone);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        var parts = ExportCase.Images(3);
        Assert.True(scorer.TryScore(made.Prepare(parts), 3, out var maps));
        made.AssertEqual(
            made.Expected(parts),
            maps.SelectMany(map => map.Values).ToArray(),
            [.. maps.Select(map => map.Max())]
        );
    }

    [Fact]
    public void Its_size_is_that_of_the_statistics()
    {
        var made = new ExportCase(Fits.Settings);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        var positions = made.Model.Distribution.Grid.Positions;
        var d = made.Model.Distribution.Dimensions;
        Assert.Equal(
            sizeof(float) * ((long)positions * d * (d + 1) + d * made.Model.Reduction.InputChannels),
            scorer.DeviceBytes
        );
    }

    [Fact]
    public async Task Requests_side_by_side_get_their_own_answers()
    {
        var made = new ExportCase(Fits.Settings);
        using var scorer = new DeviceScorer(made.Model, made.Backbone);
        var parts = ExportCase.Images(6);
        var expected = made.Expected(parts);
        await Task.WhenAll(
            Enumerable
                .Range(0, 24)
                .Select(i =>
                    Task.Run(() =>
                    {
                        Assert.True(scorer.TryScore(made.Prepare([parts[i % 6]]), 1, out var maps));
                        Assert.Equal(expected[i % 6].Max(), maps[0].Max(), 1e-3 * expected[i % 6].Max());
                    })
                )
        );
    }

    [Fact]
    public async Task Runs_end_as_they_began_while_it_is_disposed_and_none_begins_afterwards()
    {
        var made = new ExportCase(Fits.Settings);
        var expected = made.Expected(ExportCase.Images(1))[0].Max();
        var prepared = made.Prepare(ExportCase.Images(1));
        for (var round = 0; round < 20; round++)
        {
            using var scorer = new DeviceScorer(made.Model, made.Backbone);
            var runs = Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Run(() =>
                    {
                        var count = 0;
                        for (; scorer.TryScore(prepared, 1, out var maps); count++)
                            Assert.Equal(expected, maps[0].Max(), 1e-3 * expected);
                        return count;
                    })
                )
                .ToArray();
            await Task.Delay(round);
            scorer.Dispose();
            await Task.WhenAll(runs);
            Assert.True(scorer.IsFreed);
            Assert.False(scorer.TryScore(prepared, 1, out _));
        }
    }

    [Fact]
    public void Models_of_one_shape_share_the_session_of_their_graph_and_outlive_each_other()
    {
        var made = new ExportCase(Fits.Settings);
        var other = new ExportCase(Fits.Settings, images: 12);
        var graphs = new[] { made, other }
            .Select(each => new ScoringGraph(each.Model, each.Backbone.MeasureTapGrids(each.Prepared)).ToArray())
            .ToArray();
        Assert.Same(made.Backbone.GetDownstreamSession(graphs[0]), other.Backbone.GetDownstreamSession(graphs[1]));
        var first = new DeviceScorer(made.Model, made.Backbone);
        using var second = new DeviceScorer(other.Model, other.Backbone);
        first.Dispose();
        first.Dispose();
        var parts = ExportCase.Images(2);
        Assert.True(second.TryScore(other.Prepare(parts), 2, out var maps));
        other.AssertEqual(
            other.Expected(parts),
            maps.SelectMany(map => map.Values).ToArray(),
            [.. maps.Select(map => map.Max())]
        );
    }

    [Fact]
    public void Another_backbone_is_refused()
    {
        using var folder = new BackboneFolder();
        var made = new ExportCase(Fits.Settings);
        var own = folder.Put("own", OnnxGraph.Classifier(-1, 3, -1, -1)).Registry.Open("own");
        Assert.Throws<InvalidDataException>(() => new DeviceScorer(made.Model, own));
    }
}
