using System.Globalization;
using System.Security;
using System.Text;

namespace PaDiM.Bench.Charts;

/// <summary>
/// Draws an SVG chart without a background. The grey of text and axes and the colours of series can be read on white
/// and on black.
/// </summary>
internal abstract class Chart(string title)
{
    protected const int Width = 720,
        Left = 64,
        Right = 24,
        Top = 44;

    private const string Grey = "#7a828e";

    private static readonly string[] Colours = ["#2f81f7", "#d9730d", "#2da44e", "#bf4b8a", "#8957e5", "#b08800"];

    private readonly StringBuilder _body = new();

    protected abstract int Height { get; }

    public string ToSvg()
    {
        _body.Clear();
        Text(Width / 2.0, 22, title, "middle", bold: true);
        Draw();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" "
                + $"height=\"{Height}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n"
                + $"<title>{SecurityElement.Escape(title)}</title>\n{_body}</svg>\n"
        );
    }

    protected abstract void Draw();

    protected static string GetColour(int series) => Colours[series % Colours.Length];

    protected void Text(double x, double y, string text, string anchor = "start", bool bold = false, double turn = 0)
    {
        var weight = bold ? " font-weight=\"bold\"" : "";
        var rotation = turn == 0 ? "" : FormattableString.Invariant($" transform=\"rotate({turn:f0} {x:f1} {y:f1})\"");
        var attributes = $"fill=\"{Grey}\" text-anchor=\"{anchor}\"{weight}{rotation}";
        Line($"<text x=\"{x:f1}\" y=\"{y:f1}\" {attributes}>{SecurityElement.Escape(text)}</text>");
    }

    protected void Axis(double x1, double y1, double x2, double y2, bool faint = false)
    {
        var stroke = $"stroke=\"{Grey}\" stroke-width=\"1\"{(faint ? " stroke-opacity=\"0.3\"" : "")}";
        Line($"<line x1=\"{x1:f1}\" y1=\"{y1:f1}\" x2=\"{x2:f1}\" y2=\"{y2:f1}\" {stroke}/>");
    }

    protected void Box(double x, double y, double width, double height, int series)
    {
        var fill = GetColour(series);
        Line($"<rect x=\"{x:f1}\" y=\"{y:f1}\" width=\"{width:f1}\" height=\"{height:f1}\" fill=\"{fill}\"/>");
    }

    protected void Curve(IReadOnlyList<(double X, double Y)> points, int series, bool dashed)
    {
        var path = string.Join(
            ' ',
            points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:f1},{point.Y:f1}"))
        );
        var stroke = $"stroke=\"{GetColour(series)}\" stroke-width=\"2\"{(dashed ? " stroke-dasharray=\"6 4\"" : "")}";
        Line($"<polyline points=\"{path}\" fill=\"none\" {stroke}/>");
        if (dashed)
            return;
        foreach (var (x, y) in points)
            Line($"<circle cx=\"{x:f1}\" cy=\"{y:f1}\" r=\"3.5\" fill=\"{GetColour(series)}\"/>");
    }

    /// <summary>Gets a round step between grid lines, for four to eight of them.</summary>
    protected static double GetGridStep(double largest)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(largest)));
        return (largest / power) switch
            {
                < 2 => 0.25,
                < 4 => 0.5,
                _ => 1.0,
            } * power;
    }

    private void Line(FormattableString svg) => _body.Append(svg.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
