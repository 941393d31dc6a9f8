using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>Orders of inspections, in the words that let an index give them.</summary>
internal static class InspectionPages
{
    /// <summary>Sorts rows.</summary>
    /// <param name="rows">The rows, found by <paramref name="path"/>.</param>
    /// <param name="order">The order.</param>
    /// <param name="after">Where the page before ends; null for the first.</param>
    /// <param name="path">The index that finds them.</param>
    public static IQueryable<StoredInspection> InOrder(
        this IQueryable<StoredInspection> rows,
        InspectionOrder order,
        InspectionPosition? after,
        AccessPath path
    )
    {
        if (after is { } position)
            rows = Skip(rows, order, position, path);
        if (path == AccessPath.Category)
            return order switch
            {
                InspectionOrder.Newest => rows.OrderByDescending(row => row.Category).ThenByDescending(row => row.Key),
                InspectionOrder.Oldest => rows.OrderBy(row => row.Category).ThenBy(row => row.Key),
                InspectionOrder.Highest => rows.OrderByDescending(row => row.Category)
                    .ThenByDescending(row => row.Score)
                    .ThenByDescending(row => row.Key),
                _ => rows.OrderBy(row => row.Category).ThenBy(row => row.Score).ThenBy(row => row.Key),
            };
        return order switch
        {
            InspectionOrder.Newest => rows.OrderByDescending(row => row.Key),
            InspectionOrder.Oldest => rows.OrderBy(row => row.Key),
            InspectionOrder.Highest => path is AccessPath.Others or AccessPath.Few
                ? rows.OrderByDescending(row => row.Score + 0).ThenByDescending(row => row.Key)
                : rows.OrderByDescending(row => row.Score).ThenByDescending(row => row.Key),
            _ => path is AccessPath.Others or AccessPath.Few
                ? rows.OrderBy(row => row.Score + 0).ThenBy(row => row.Key)
                : rows.OrderBy(row => row.Score).ThenBy(row => row.Key),
        };
    }

    /// <summary>Leaves out the pages before. The first condition on a score alone finds the place in its index.</summary>
    private static IQueryable<StoredInspection> Skip(
        IQueryable<StoredInspection> rows,
        InspectionOrder order,
        InspectionPosition last,
        AccessPath path
    ) =>
        (order, path) switch
        {
            (InspectionOrder.Newest, AccessPath.Few) => rows.Where(row => row.Key + 0 < last.Key),
            (InspectionOrder.Oldest, AccessPath.Few) => rows.Where(row => row.Key + 0 > last.Key),
            (InspectionOrder.Newest, _) => rows.Where(row => row.Key < last.Key),
            (InspectionOrder.Oldest, _) => rows.Where(row => row.Key > last.Key),
            (InspectionOrder.Highest, AccessPath.Others or AccessPath.Few) => rows.Where(row =>
                row.Score + 0 <= last.Score && (row.Score + 0 < last.Score || row.Key < last.Key)
            ),
            (InspectionOrder.Highest, _) => rows.Where(row =>
                row.Score <= last.Score && (row.Score < last.Score || row.Key < last.Key)
            ),
            (_, AccessPath.Others or AccessPath.Few) => rows.Where(row =>
                row.Score + 0 >= last.Score && (row.Score + 0 > last.Score || row.Key > last.Key)
            ),
            _ => rows.Where(row => row.Score >= last.Score && (row.Score > last.Score || row.Key > last.Key)),
        };

    /// <summary>Sorts the rows of several categories.</summary>
    public static List<StoredInspection> Merge(List<StoredInspection> rows, InspectionOrder order) =>
        order switch
        {
            InspectionOrder.Newest => [.. rows.OrderByDescending(row => row.Key)],
            InspectionOrder.Oldest => [.. rows.OrderBy(row => row.Key)],
            InspectionOrder.Highest => [.. rows.OrderByDescending(row => row.Score).ThenByDescending(row => row.Key)],
            _ => [.. rows.OrderBy(row => row.Score).ThenBy(row => row.Key)],
        };
}
