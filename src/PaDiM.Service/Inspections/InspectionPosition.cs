using System.Globalization;
using PaDiM.Service.Data;

namespace PaDiM.Service.Inspections;

/// <summary>Where a page ends.</summary>
/// <param name="Key">The key of its last row.</param>
/// <param name="Score">The score of that row, for orders by score.</param>
internal readonly record struct InspectionPosition(long Key, double Score)
{
    public static string Write(StoredInspection row, InspectionOrder order) =>
        order is InspectionOrder.Newest or InspectionOrder.Oldest
            ? string.Create(CultureInfo.InvariantCulture, $"{row.Key}")
            : string.Create(CultureInfo.InvariantCulture, $"{row.Key} {row.Score:r}");

    public static bool TryParse(string text, InspectionOrder order, out InspectionPosition? position)
    {
        position = null;
        if (text.Length == 0)
            return true;
        var parts = text.Split(' ');
        if (
            parts.Length != (order is InspectionOrder.Newest or InspectionOrder.Oldest ? 1 : 2)
            || !long.TryParse(parts[0], CultureInfo.InvariantCulture, out var key)
        )
            return false;
        var score = 0.0;
        if (parts.Length == 2 && !double.TryParse(parts[1], CultureInfo.InvariantCulture, out score))
            return false;
        position = new InspectionPosition(key, score);
        return true;
    }
}
