using PaDiM.Bench.Measuring;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
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
        _plain,
        _top;

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
        _scorer = new InProcessScorer(model, backbone);
        // Its maps are wrong for a model that was fitted with the filter; its time is not.
        _plain = CreateScorer(settings => settings with { LocalAverage = false });
        _top = CreateScorer(settings => settings with { ImageScore = ImageScoreMethod.Top });
        _exported = WholeGraph.CreateExported(model, backbone, batch);
        _conventional = WholeGraph.CreateConventional(model, backbone, batch);
        var images = workbench.Images;
        Alone = new Candidate("backbone alone", _ => _raw.Run(prepared, batch, size));
        Conventional = new Candidate("conventional whole graph", _ => _conventional.Run(batch));
        Exported = new Candidate("exported whole graph", _ => _exported.Run(batch));
        Score = new Candidate("decoded image to score", round => _scorer.Score(GetBatch(round)));
        Plain = new Candidate("— without the local average", round => _plain.Score(GetBatch(round)));
        Top = new Candidate("— with the mean of the highest pixels", round => _top.Score(GetBatch(round)));

        InProcessScorer CreateScorer(Func<FitSettings, FitSettings> change) =>
            new(model with { Settings = change(model.Settings) }, backbone);

        RgbImage[] GetBatch(int round) =>
            [.. Enumerable.Range(round * batch, batch).Select(i => images[i % images.Count])];
    }

    public string Name { get; }

    public Candidate Alone { get; }

    public Candidate Conventional { get; }

    public Candidate Exported { get; }

    public Candidate Score { get; }

    /// <summary>Gets the scores as they were before the local average became a default.</summary>
    public Candidate Plain { get; }

    /// <summary>Gets the scores of <see cref="ImageScoreMethod.Top"/>.</summary>
    public Candidate Top { get; }

    public IReadOnlyList<Times> Stages => _scorer.Stages;

    public IEnumerable<Candidate> Candidates => [Alone, Conventional, Exported, Score, Plain, Top];

    /// <summary>Clears the times of the warm-up.</summary>
    public void Clear() => _scorer.Clear();

    public void Dispose()
    {
        _raw.Dispose();
        _exported.Dispose();
        _conventional.Dispose();
        _scorer.Dispose();
        _plain.Dispose();
        _top.Dispose();
    }
}
