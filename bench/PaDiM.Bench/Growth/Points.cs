using PaDiM.Bench.Charts;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;

namespace PaDiM.Bench.Growth;

/// <summary>Scores with settings of which one grows, in turn.</summary>
internal sealed class Points : IDisposable
{
    private readonly RawBackbone raw;
    private readonly List<Point> points = [];

    private Points(Backbone backbone) => raw = new RawBackbone(backbone);

    public static Points Of(Workbench workbench, Backbone backbone, IEnumerable<(int Value, FitSettings Settings)> growing)
    {
        var result = new Points(backbone);
        foreach (var (value, settings) in growing)
        {
            var model = SyntheticModel.Of(backbone, settings);
            var size = settings.PreparedSize();
            var scorer = new InProcessScorer(model, backbone);
            var prepared = new float[3 * size.Positions];
            result.points.Add(new Point(
                value, model.Bytes, model.Distribution.Grid.Positions, scorer,
                new Candidate("backbone alone", _ => result.raw.Run(prepared, 1, size)),
                new Candidate("image to score", round => scorer.Score([workbench.Images[round % workbench.Images.Count]]))));
        }
        return result;
    }

    public void Print(string what, string title, TimeSpan duration)
    {
        var rounds = Rounds.Run([.. points.SelectMany(point => new[] { point.Alone, point.Score })], duration, () => points.ForEach(point => point.Scorer.Clear()));
        var table = new Table([what, "positions", "model, MB", "p50, ms", "p95, ms", "p99, ms", "backbone alone, p50, ms", "distances, p50, ms", "score over backbone alone"]);
        foreach (var point in points)
            table.Add(
            [
                $"{point.Value}", $"{point.Positions}", $"{point.Bytes / 1e6:f0}", .. point.Score.Times.Cells(), Table.Number(point.Alone.Times.Median), Table.Number(point.Scorer.Distances.Median),
                Table.Number(point.Score.Times.Median / point.Alone.Times.Median),
            ]);
        table.Print($"{title}, {rounds} rounds:");
    }

    public LineChart Chart(string title, string across) => new(title, across, "milliseconds, p50",
    [
        new Series("image to score", [.. points.Select(point => ((double)point.Value, point.Score.Times.Median))]),
        new Series("backbone alone", [.. points.Select(point => ((double)point.Value, point.Alone.Times.Median))]),
        new Series("distances", [.. points.Select(point => ((double)point.Value, point.Scorer.Distances.Median))]),
    ]);

    public void Dispose()
    {
        raw.Dispose();
        foreach (var point in points) point.Scorer.Dispose();
    }

    private sealed record Point(int Value, long Bytes, int Positions, InProcessScorer Scorer, Candidate Alone, Candidate Score);
}
