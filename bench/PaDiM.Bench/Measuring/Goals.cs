using System.Globalization;

namespace PaDiM.Bench.Measuring;

/// <summary>What was promised of the speed, what was measured, and whether the promise holds.</summary>
internal sealed class Goals
{
    private readonly MarkdownTable _table = new("bar", "wanted", "measured", "holds");

    public void AtMost(string what, double limit, double measured, string unit = "") =>
        Add(what, "at most", limit, measured, measured <= limit, unit);

    public void AtLeast(string what, double limit, double measured, string unit = "") =>
        Add(what, "at least", limit, measured, measured >= limit, unit);

    public void Print() => _table.Print("What was promised:");

    private void Add(string what, string kind, double limit, double measured, bool holds, string unit) =>
        _table.Add(
            what,
            $"{kind} {limit.ToString(CultureInfo.InvariantCulture)}{unit}",
            MarkdownTable.Format(measured) + unit,
            double.IsFinite(measured)
                ? holds
                    ? "yes"
                    : "no"
                : "–"
        );
}
