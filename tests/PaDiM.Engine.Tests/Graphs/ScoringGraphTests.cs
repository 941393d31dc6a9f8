using Microsoft.ML.OnnxRuntime;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.Statistics;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Tests.Support;

namespace PaDiM.Engine.Tests.Graphs;

public sealed class ScoringGraphTests
{
    [Theory]
    [MemberData(nameof(ExportCase.Kinds), MemberType = typeof(ExportCase))]
    public void It_equals_the_kernels(
        ReductionMethod reduction,
        int images,
        int size,
        int? crop,
        double blur,
        bool masked
    )
    {
        var made = new ExportCase(ExportCase.Settings(reduction, size, crop, blur), images, masked);
        Assert.Equal(images < 10 || reduction == ReductionMethod.None, made.Model.Distribution is LowRankDistribution);
        foreach (var batch in new[] { 1, 3 })
        {
            var parts = ExportCase.Images(batch);
            var (maps, scores) = Run(made, made.Prepare(parts), batch);
            made.AssertEqual(made.Expected(parts), maps, scores);
        }
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(20, true)]
    public void It_equals_the_kernels_where_positions_are_compared_with_all_positions(int images, bool masked)
    {
        var made = new ExportCase(Fits.Settings with { RelativeRidge = 0.5, QuietExponent = 1.5 }, images, masked);
        var parts = ExportCase.Images(2);
        var (maps, scores) = Run(made, made.Prepare(parts), 2);
        made.AssertEqual(made.Expected(parts), maps, scores);
    }

    [Theory]
    [InlineData(ReductionMethod.SemiOrthogonal, false)]
    [InlineData(ReductionMethod.Random, true)]
    public void It_equals_the_kernels_where_all_positions_share_a_Gaussian(ReductionMethod reduction, bool masked)
    {
        var made = new ExportCase(
            ExportCase.Settings(reduction, 50, null, 3) with
            {
                Positions = PatchPositions.Shared,
            },
            3,
            masked
        );
        var parts = ExportCase.Images(3);
        var (maps, scores) = Run(made, made.Prepare(parts), 3);
        made.AssertEqual(made.Expected(parts), maps, scores);
    }

    [Theory]
    [MemberData(nameof(ExportCase.AveragedKinds), MemberType = typeof(ExportCase))]
    public void With_a_local_average_and_the_highest_pixels_it_equals_the_kernels(
        ReductionMethod reduction,
        int images,
        int size,
        int? crop,
        double blur,
        bool masked
    )
    {
        var made = new ExportCase(ExportCase.AveragedSettings(reduction, size, crop, blur), images, masked);
        foreach (var batch in new[] { 1, 3 })
        {
            var parts = ExportCase.Images(batch);
            var (maps, scores) = Run(made, made.Prepare(parts), batch);
            made.AssertEqual(made.Expected(parts), maps, scores);
        }
    }

    [Fact]
    public void Models_of_one_kind_share_a_graph()
    {
        var one = new ExportCase(Fits.Settings, 20);
        var other = new ExportCase(Fits.Settings, 5);
        Assert.Equal(
            new ScoringGraph(one.Model, GridsOf(one)).ToArray(),
            new ScoringGraph(other.Model, GridsOf(other)).ToArray()
        );
    }

    private static (float[] Maps, float[] Scores) Run(ExportCase made, float[] prepared, int batch)
    {
        using var options = OnnxRuntimeLibrary.CreateOptions();
        options.IntraOpNumThreads = 2;
        using var session = OnnxRuntimeLibrary.OpenSession(
            new ScoringGraph(made.Model, GridsOf(made)).ToArray(),
            options
        );
        // As a device gets them: of d dimensions each, chosen channels too.
        var reduction = made.Model.Reduction;
        var product = new ChannelProjection(
            reduction.TapChannels,
            reduction.Weights.ToArray(),
            reduction.Dimensions,
            reduction.Seed
        );
        using var features = made.Backbone.Extract(prepared, batch, made.Prepared, product);
        var values = new Dictionary<string, OrtValue>();
        for (var l = 0; l < features[0].Count; l++)
        {
            var grid = features[0][l].Grid;
            values[ScoringGraph.GetFeaturesName(l)] = OrtValue.CreateTensorValueFromMemory(
                Enumerable.Range(0, batch).SelectMany(i => features[i][l].Values.ToArray()).ToArray(),
                [batch, grid.Height, grid.Width, features.Dimensions]
            );
        }
        foreach (var tensor in ScoringStatistics.Create(made.Model))
            values[tensor.Name] = OrtValue.CreateTensorValueFromMemory(
                tensor.ToArray(new ParallelOptions()),
                [.. tensor.Shape]
            );
        using var run = new RunOptions();
        using var outputs = session.Run(run, values.Keys, values.Values, [ScoringGraph.Map, ScoringGraph.Score]);
        foreach (var value in values.Values)
            value.Dispose();
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[1].GetTensorDataAsSpan<float>().ToArray());
    }

    private static Grid[] GridsOf(ExportCase made) => made.Backbone.MeasureTapGrids(made.Prepared);
}
