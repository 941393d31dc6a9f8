using PaDiM.Bench.Measuring;
using PaDiM.Core.Embedding;
using PaDiM.Core.Scoring;
using PaDiM.Imaging;

namespace PaDiM.Bench.Speed;

/// <summary>Represents one backbone with all its candidates.</summary>
internal sealed class SpeedSubject : IDisposable
{
    private readonly RawBackbone _raw;
    private readonly WholeGraph _exported,
        _conventional;
    private readonly InProcessScorer _scorer,
        _averaging;

    public SpeedSubject(Workbench workbench, string name, ReductionMethod reduction, int batch)
    {
        var backbone = workbench.Open(name);
        var model = workbench.Fit(name, reduction);
        var size = model.Settings.GetPreparedSize();
        var prepared = new float[batch * 3 * model.Settings.GetPreparedSize().Positions];
        var random = new Random(1);
        foreach (ref var value in prepared.AsSpan())
            value = 4 * random.NextSingle() - 2;
        Name = name;
        _raw = new RawBackbone(backbone);
        _scorer = new InProcessScorer(
            model with
            {
                Settings = model.Settings with { LocalAverage = false, ImageScore = ImageScoreMethod.Max },
            },
            backbone
        );
        // Its maps are wrong for a model that was fitted without the filter; its time is not.
        _averaging = new InProcessScorer(
            model with
            {
                Settings = model.Settings with { LocalAverage = true, ImageScore = ImageScoreMethod.Top },
            },
            backbone
        );
        _exported = WholeGraph.CreateExported(model, backbone, batch);
        _conventional = WholeGraph.CreateConventional(model, backbone, batch);
        var images = workbench.Images;
        Alone = new Candidate("backbone alone", _ => _raw.Run(prepared, batch, size));
        Conventional = new Candidate("conventional whole graph", _ => _conventional.Run(batch));
        Exported = new Candidate("exported whole graph", _ => _exported.Run(batch));
        Score = new Candidate("decoded image to score", round => _scorer.Score(GetBatch(round)));
        Averaged = new Candidate(
            "decoded image to score, with the local average and the highest pixels",
            round => _averaging.Score(GetBatch(round))
        );

        RgbImage[] GetBatch(int round) =>
            [.. Enumerable.Range(round * batch, batch).Select(i => images[i % images.Count])];
    }

    public string Name { get; }

    public Candidate Alone { get; }

    public Candidate Conventional { get; }

    public Candidate Exported { get; }

    public Candidate Score { get; }

    /// <summary>Gets the scorer with a local average and the mean of the highest pixels.</summary>
    public Candidate Averaged { get; }

    public IReadOnlyList<Times> Stages => _scorer.Stages;

    public IEnumerable<Candidate> Candidates => [Alone, Conventional, Exported, Score, Averaged];

    /// <summary>Clears the times of the warm-up.</summary>
    public void Clear() => _scorer.Clear();

    public void Dispose()
    {
        _raw.Dispose();
        _exported.Dispose();
        _conventional.Dispose();
        _scorer.Dispose();
        _averaging.Dispose();
    }
}
