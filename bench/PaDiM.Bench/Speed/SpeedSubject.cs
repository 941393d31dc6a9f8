using PaDiM.Bench.Measuring;

namespace PaDiM.Bench.Speed;

/// <summary>One backbone with all that is measured of it.</summary>
internal sealed class SpeedSubject : IDisposable
{
    private readonly RawBackbone raw;
    private readonly WholeGraph whole;
    private readonly InProcessScorer scorer;

    public SpeedSubject(Workbench workbench, string name, int batch)
    {
        var (backbone, model) = (workbench.Open(name), workbench.Fit(name));
        var (size, prepared) = (model.Settings.PreparedSize(), new float[batch * 3 * model.Settings.PreparedSize().Positions]);
        var random = new Random(1);
        foreach (ref var value in prepared.AsSpan()) value = 4 * random.NextSingle() - 2;
        (Name, raw, whole, scorer) = (name, new RawBackbone(backbone), new WholeGraph(model, backbone, batch), new InProcessScorer(model, backbone));
        var images = workbench.Images;
        Alone = new Candidate("backbone alone", _ => raw.Run(prepared, batch, size));
        Peer = new Candidate("whole graph in ONNX Runtime", _ => whole.Run(batch));
        Score = new Candidate("decoded image to score", round => scorer.Score([.. Enumerable.Range(round * batch, batch).Select(i => images[i % images.Count])]));
    }

    public string Name { get; }

    public Candidate Alone { get; }

    public Candidate Peer { get; }

    public Candidate Score { get; }

    public IReadOnlyList<Times> Stages => scorer.Stages;

    public IEnumerable<Candidate> Candidates => [Alone, Peer, Score];

    /// <summary>Forgets what was measured while everything warmed up.</summary>
    public void Clear() => scorer.Clear();

    public void Dispose()
    {
        raw.Dispose();
        whole.Dispose();
        scorer.Dispose();
    }
}
