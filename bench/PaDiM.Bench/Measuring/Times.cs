namespace PaDiM.Bench.Measuring;

/// <summary>Milliseconds of many runs of one thing.</summary>
internal sealed class Times
{
    private readonly List<double> values = [];

    public IReadOnlyList<double> Values => values;

    public int Count => values.Count;

    public double Median => Percentile(0.5);

    public void Add(double milliseconds) => values.Add(milliseconds);

    public void AddRange(IEnumerable<double> milliseconds) => values.AddRange(milliseconds);

    public void Clear() => values.Clear();

    /// <summary>The value that a share of all runs does not pass; of few runs, the largest stands for every high percentile.</summary>
    public double Percentile(double share) => values.Count == 0 ? double.NaN : values.Order().ElementAt((int)Math.Ceiling(share * values.Count) - 1);

    /// <summary>p50, p95 and p99 as cells of a table.</summary>
    public string[] Cells() => [Table.Number(Percentile(0.5)), Table.Number(Percentile(0.95)), Table.Number(Percentile(0.99))];
}
