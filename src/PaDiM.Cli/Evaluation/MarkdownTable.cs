using System.Text;

namespace PaDiM.Cli.Evaluation;

/// <summary>Represents a Markdown table with padded cells: names on the left, figures aligned right.</summary>
/// <param name="columns">The titles of the columns.</param>
internal sealed class MarkdownTable(IReadOnlyList<string> columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row with one cell per column.</summary>
    public void Add(string[] cells) => _rows.Add(cells);

    /// <inheritdoc/>
    public override string ToString()
    {
        int[] widths =
        [
            .. columns.Select((title, column) => _rows.Select(row => row[column].Length).Append(title.Length).Max()),
        ];
        var text = new StringBuilder();
        Append(columns);
        Append([
            .. widths.Select(
                (width, column) => column == 0 ? new string('-', width) : $"{new string('-', width - 1)}:"
            ),
        ]);
        foreach (var row in _rows)
            Append(row);
        return text.ToString();

        void Append(IReadOnlyList<string> cells) =>
            text.Append("| ")
                .AppendJoin(
                    " | ",
                    cells.Select(
                        (cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])
                    )
                )
                .Append(" |\n");
    }
}
