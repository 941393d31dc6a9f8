using PaDiM.Bench.Charts;
using PaDiM.Bench.Measuring;
using PaDiM.Bench.Speed;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Growth;

/// <summary>Measures scores with backbones and settings that differ in one value, in turn.</summary>
internal sealed class Points(Workbench workbench) : IDisposable
{
    private readonly List<Point> _points = [];

    public static Points Create(
        Workbench workbench,
        Backbone backbone,
        IEnumerable<(int Value, FitSettings Settings)> growing
    )
    {
        var result = new Points(workbench);
        foreach (var (value, settings) in growing)
            result.Add($"{value}", value, backbone, settings);
        return result;
    }

    /// <summary>Adds a point.</summary>
    /// <param name="name">The name in the table.</param>
    /// <param name="value">The value in the chart.</param>
    /// <param name="backbone">The network.</param>
    /// <param name="settings">The settings of the model.</param>
    public void Add(string name, int value, Backbone backbone, FitSettings settings)
    {
        var model = SyntheticModel.Create(backbone, settings);
        var size = settings.GetPreparedSize();
        var raw = new RawBackbone(backbone);
        var scorer = new InProcessScorer(model, backbone);
        var prepared = new float[3 * size.Positions];
        _points.Add(
            new Point(
                name,
                value,
                model.Bytes,
                model.Distribution.Grid.Positions,
                raw,
                scorer,
                new Candidate("backbone alone", _ => raw.Run(prepared, 1, size)),
                new Candidate(
                    "image to score",
                    round => scorer.Score([workbench.Images[round % workbench.Images.Count]])
                )
            )
        );
    }

    public void Print(string what, string title, TimeSpan duration)
    {
        var rounds = Rounds.Run(
            [.. _points.SelectMany(point => new[] { point.Alone, point.Score })],
            duration,
            () => _points.ForEach(point => point.Scorer.Clear())
        );
        var table = new ReportTable([
            what,
            "positions",
            "model, MB",
            "image to score, p50, ms",
            "p95, ms",
            "p99, ms",
            "backbone alone, p50, ms",
            "distances, p50, ms",
            "score / backbone alone",
        ]);
        foreach (var point in _points)
            table.Add([
                point.Name,
                $"{point.Positions}",
                $"{point.Bytes / 1e6:f0}",
                .. point.Score.Times.ToCells(),
                ReportTable.Format(point.Alone.Times.Median),
                ReportTable.Format(point.Scorer.Distances.Median),
                ReportTable.Format(point.Score.Times.Median / point.Alone.Times.Median),
            ]);
        table.Print($"{title}, {rounds} rounds:");
    }

    public LineChart CreateChart(string title, string across) =>
        new(
            title,
            across,
            "milliseconds, p50",
            [
                new Series(
                    "image to score",
                    [.. _points.Select(point => ((double)point.Value, point.Score.Times.Median))]
                ),
                new Series(
                    "backbone alone",
                    [.. _points.Select(point => ((double)point.Value, point.Alone.Times.Median))]
                ),
                new Series(
                    "distances",
                    [.. _points.Select(point => ((double)point.Value, point.Scorer.Distances.Median))]
                ),
            ]
        );

    public void Dispose()
    {
        foreach (var point in _points)
        {
            point.Raw.Dispose();
            point.Scorer.Dispose();
        }
    }

    private sealed record Point(
        string Name,
        int Value,
        long Bytes,
        int Positions,
        RawBackbone Raw,
        InProcessScorer Scorer,
        Candidate Alone,
        Candidate Score
    );
}
