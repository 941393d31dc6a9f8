using System.Globalization;

namespace PaDiM.Bench.Measuring;

/// <summary>A table in Markdown.</summary>
/// <param name="columns">Its head.</param>
internal sealed class MarkdownTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Print(string title)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine();
        Console.WriteLine($"| {string.Join(" | ", columns)} |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", columns.Length))}");
        foreach (var row in _rows)
            Console.WriteLine($"| {string.Join(" | ", row)} |");
    }

    /// <summary>Three significant digits or two decimals; a dash for what was not measured.</summary>
    public static string Format(double value) =>
        !double.IsFinite(value)
            ? "–"
            : value.ToString(
                Math.Abs(value) >= 100 ? "f0"
                    : Math.Abs(value) >= 10 ? "f1"
                    : "f2",
                CultureInfo.InvariantCulture
            );
}
