using System.Globalization;

namespace PaDiM.Bench.Measuring;

/// <summary>Collects goals, measured values, and whether the goals are met.</summary>
internal sealed class Goals
{
    private readonly ReportTable _table = new("what", "goal", "result", "met");

    public void AtMost(string what, double limit, double measured, string unit = "") =>
        Add(what, "at most", limit, measured, measured <= limit, unit);

    public void AtLeast(string what, double limit, double measured, string unit = "") =>
        Add(what, "at least", limit, measured, measured >= limit, unit);

    public void Print() => _table.Print("Goals:");

    private void Add(string what, string kind, double limit, double measured, bool holds, string unit) =>
        _table.Add(
            what,
            $"{kind} {limit.ToString(CultureInfo.InvariantCulture)}{unit}",
            ReportTable.Format(measured) + unit,
            double.IsFinite(measured)
                ? holds
                    ? "yes"
                    : "no"
                : "–"
        );
}
