using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace PaDiM.Service.Http;

/// <summary>A page of a list.</summary>
/// <param name="Items">The items, in a stable order.</param>
/// <param name="NextCursor">Pass this as <c>cursor</c> to get the next page; null on the last page.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>
/// The page that a request asks for. The cursor is the last key of the previous page, opaque to clients.
/// </summary>
internal readonly record struct PageRequest(int Limit, string After)
{
    private const int DefaultLimit = 100,
        MaxLimit = 1000;
    private const string Mark = "after:";
    private static readonly Problem WrongCursor = Problems.InvalidRequest(
        "cursor must be the nextCursor of an earlier page."
    );

    public static Outcome<PageRequest> Parse(int? limit, string? cursor)
    {
        if (limit is < 1 or > MaxLimit)
            return Problems.InvalidRequest($"limit must be from 1 to {MaxLimit}.");
        if (string.IsNullOrEmpty(cursor))
            return new PageRequest(limit ?? DefaultLimit, "");
        try
        {
            var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
            if (text.StartsWith(Mark, StringComparison.Ordinal))
                return new PageRequest(limit ?? DefaultLimit, text[Mark.Length..]);
        }
        catch (FormatException)
        {
            // Not valid Base64.
        }
        return WrongCursor;
    }

    /// <summary>Gets the number that the previous page ended with, in a list whose numbers fall; the highest one for the first
    /// page.</summary>
    public Outcome<long> GetNumberBefore() =>
        After.Length == 0 ? long.MaxValue
        : long.TryParse(After, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : WrongCursor;

    /// <summary>Gets the number that the previous page ended with, in a list whose numbers rise from 0; -1 for the first
    /// page.</summary>
    public Outcome<long> GetNumberAfter() =>
        After.Length == 0 ? -1
        : long.TryParse(After, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : WrongCursor;

    /// <summary>Creates a page from rows that were queried with one more than the limit.</summary>
    public Page<TItem> Cut<TRow, TItem>(IReadOnlyList<TRow> rows, Func<TRow, string> key, Func<TRow, TItem> item)
    {
        var shown = rows.Take(Limit).ToArray();
        return new Page<TItem>(
            [.. shown.Select(item)],
            rows.Count > Limit ? Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Mark + key(shown[^1]))) : null
        );
    }
}
