using PaDiM.Bench.Measuring;

namespace PaDiM.Bench.Charts;

/// <summary>Represents a bar of one or more parts.</summary>
/// <param name="Label">The label.</param>
/// <param name="Parts">The lengths of the parts, one colour each.</param>
internal sealed record Bar(string Label, params double[] Parts);

/// <summary>Draws horizontal bars below each other.</summary>
/// <param name="title">The title.</param>
/// <param name="unit">The unit of the axis.</param>
/// <param name="parts">The names of the parts, for a legend; none for bars of one part.</param>
/// <param name="bars">The bars, top to bottom.</param>
internal sealed class BarChart(string title, string unit, string[] parts, IReadOnlyList<Bar> bars) : Chart(title)
{
    private const int Labels = 210,
        Row = 30;

    private int LegendHeight => parts.Length > 0 ? 24 : 0;

    protected override int Height => Top + bars.Count * Row + 48 + LegendHeight;

    protected override void Draw()
    {
        var largest = bars.Max(bar => bar.Parts.Sum());
        var step = GetGridStep(largest);
        var bottom = Top + bars.Count * Row;
        var scale = (Width - Labels - Right - 50) / largest;
        for (var value = 0.0; value <= largest; value += step)
        {
            Axis(Labels + value * scale, Top, Labels + value * scale, bottom, faint: value > 0);
            Text(
                Labels + value * scale,
                bottom + 16,
                value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture),
                "middle"
            );
        }
        Text(Labels, bottom + 36, unit);
        for (var i = 0; i < bars.Count; i++)
        {
            var at = (double)Labels;
            var top = Top + i * Row + 5;
            Text(Labels - 8, top + 14, bars[i].Label, "end");
            for (var part = 0; part < bars[i].Parts.Length; part++)
            {
                Box(at, top, bars[i].Parts[part] * scale, Row - 10, part);
                at += bars[i].Parts[part] * scale;
            }
            Text(at + 6, top + 14, ReportTable.Format(bars[i].Parts.Sum()));
        }
        var x = (double)Left;
        for (var part = 0; part < parts.Length; part++)
        {
            Box(x, bottom + 48, 12, 12, part);
            Text(x + 17, bottom + 59, parts[part]);
            x += 36 + 7 * parts[part].Length;
        }
    }
}
