using System.Globalization;

namespace PaDiM.Bench.Measuring;

/// <summary>Prints Markdown tables: as a whole, or row by row while measurements are running.</summary>
/// <param name="columns">The titles of the columns.</param>
internal sealed class ReportTable(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Prints the title and the whole table.</summary>
    public void Print(string title)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine();
        PrintHeader(columns);
        foreach (var row in _rows)
            PrintRow(row);
    }

    /// <summary>Prints the header of a table.</summary>
    public static void PrintHeader(params string[] columns)
    {
        PrintRow(columns);
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat("---|", columns.Length))}");
    }

    /// <summary>Prints a row of a table.</summary>
    public static void PrintRow(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

    /// <summary>
    /// Formats a number with three significant digits or two decimals; a dash if it was not measured.
    /// </summary>
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
