namespace PaDiM.Bench.Charts;

/// <summary>Represents a curve.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="Points">The points.</param>
/// <param name="Dashed">Whether it is a limit or an ideal instead of measured points.</param>
internal sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points, bool Dashed = false);

/// <summary>Draws curves over a common axis from 0.</summary>
/// <param name="title">The title.</param>
/// <param name="across">The label of the horizontal axis.</param>
/// <param name="up">The label of the vertical axis.</param>
/// <param name="series">The curves.</param>
/// <param name="doubling">Whether the horizontal axis is logarithmic, to base 2.</param>
internal sealed class LineChart(
    string title,
    string across,
    string up,
    IReadOnlyList<Series> series,
    bool doubling = false
) : Chart(title)
{
    protected override int Height => 400;

    protected override void Draw()
    {
        var points = series.SelectMany(curve => curve.Points).ToArray();
        var largest = points.Max(point => point.Y);
        var right = Width - Right;
        var bottom = Height - 84;
        var from = doubling ? ToAxis(points.Min(point => point.X)) : 0;
        var to = ToAxis(points.Max(point => point.X));
        double X(double value) => Left + (to > from ? (ToAxis(value) - from) / (to - from) : 0.5) * (right - Left - 20);
        double Y(double value) => bottom - value / largest * (bottom - Top);
        for (var value = 0.0; value <= largest * 1.001; value += GetGridStep(largest))
        {
            Axis(Left, Y(value), right, Y(value), faint: value > 0);
            Text(
                Left - 8,
                Y(value) + 4,
                value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture),
                "end"
            );
        }
        Axis(Left, Top, Left, bottom);
        foreach (var value in points.Select(point => point.X).Distinct())
            Text(
                X(value),
                bottom + 18,
                value.ToString("0.##", System.Globalization.CultureInfo.InvariantCulture),
                "middle"
            );
        Text((Left + right) / 2.0, bottom + 40, across, "middle");
        Text(18, (Top + bottom) / 2.0, up, "middle", turn: -90);
        var x = (double)Left;
        for (var i = 0; i < series.Count; i++)
        {
            Curve([.. series[i].Points.Select(point => (X(point.X), Y(point.Y)))], i, series[i].Dashed);
            Box(x, bottom + 58, 12, 12, i);
            Text(x + 17, bottom + 69, series[i].Name);
            x += 36 + 7 * series[i].Name.Length;
        }
    }

    private double ToAxis(double value) => doubling ? Math.Log2(value) : value;
}
