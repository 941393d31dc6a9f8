namespace PaDiM.Core.Statistics;

/// <summary>
/// Enumerates columns of a packed lower triangle, from the first to the last. A struct without allocations, which the
/// JIT turns into two counters.
/// </summary>
/// <param name="d">Dimensions of the triangle.</param>
/// <param name="count">Columns to enumerate, at most d.</param>
internal ref struct PackedColumns(int d, int count)
{
    private readonly int _dimensions = d;
    private readonly int _count = count;
    private int _index = -1;

    // Column -1 would have d + 1 entries, so the first step leads to 0.
    private int _start = -(d + 1);

    /// <summary>Gets the column that the last call of <see cref="MoveNext"/> reached.</summary>
    public readonly PackedColumn Current => new(_index, _start, _dimensions - _index);

    /// <summary>Returns the columns themselves: they are their own enumerator.</summary>
    public readonly PackedColumns GetEnumerator() => this;

    /// <summary>Moves to the next column.</summary>
    public bool MoveNext()
    {
        // A column ends at the last row, and the next one starts with its own diagonal entry.
        _start += _dimensions - _index;
        return ++_index < _count;
    }
}

/// <summary>A column of a packed lower triangle: the rows from the diagonal down.</summary>
/// <param name="Index">Column j, and the row of its first entry.</param>
/// <param name="Start">Index of the diagonal entry among the packed values.</param>
/// <param name="Length">Number of entries, d - j.</param>
internal readonly record struct PackedColumn(int Index, int Start, int Length)
{
    /// <summary>Gets the index of the entry in a row, from <see cref="Index"/> to d - 1.</summary>
    public int GetEntry(int row) => Start + row - Index;

    /// <summary>Gets the entries of this column.</summary>
    public ReadOnlySpan<T> In<T>(ReadOnlySpan<T> packed) => packed.Slice(Start, Length);

    /// <inheritdoc cref="In{T}(ReadOnlySpan{T})"/>
    public Span<T> In<T>(Span<T> packed) => packed.Slice(Start, Length);
}
