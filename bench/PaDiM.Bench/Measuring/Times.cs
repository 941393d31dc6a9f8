namespace PaDiM.Bench.Measuring;

/// <summary>Collects the milliseconds of many runs.</summary>
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
    /// Gets the value that a share of all runs does not exceed. With few runs, the largest value stands for all high
    /// percentiles.
    /// </summary>
    public double Percentile(double share) =>
        _values.Count == 0 ? double.NaN : _values.Order().ElementAt((int)Math.Ceiling(share * _values.Count) - 1);

    /// <summary>Formats p50, p95 and p99 as cells of a table.</summary>
    public string[] ToCells() =>
        [
            ReportTable.Format(Percentile(0.5)),
            ReportTable.Format(Percentile(0.95)),
            ReportTable.Format(Percentile(0.99)),
        ];
}
