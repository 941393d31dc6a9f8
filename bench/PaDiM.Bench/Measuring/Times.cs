namespace PaDiM.Bench.Measuring;

/// <summary>Milliseconds of many runs of one thing.</summary>
internal sealed class Times
{
    private readonly List<double> _values = [];

    public IReadOnlyList<double> Values => _values;

    public int Count => _values.Count;

    public double Median => Percentile(0.5);

    public void Add(double milliseconds) => _values.Add(milliseconds);

    public void AddRange(IEnumerable<double> milliseconds) => _values.AddRange(milliseconds);

    public void Clear() => _values.Clear();

    /// <summary>
    /// The value that a share of all runs does not pass; of few runs, the largest stands for every high percentile.
    /// </summary>
    public double Percentile(double share) =>
        _values.Count == 0 ? double.NaN : _values.Order().ElementAt((int)Math.Ceiling(share * _values.Count) - 1);

    /// <summary>p50, p95 and p99 as cells of a table.</summary>
    public string[] ToCells() =>
        [
            MarkdownTable.Format(Percentile(0.5)),
            MarkdownTable.Format(Percentile(0.95)),
            MarkdownTable.Format(Percentile(0.99)),
        ];
}
