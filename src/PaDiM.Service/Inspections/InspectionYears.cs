using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Inspections;

/// <summary>The years that requests may name.</summary>
internal static class InspectionYears
{
    /// <summary>Gets the problem of a span with an end that no inspection can have; null if it has none.</summary>
    /// <param name="from">The first moment; null if the request does not name it.</param>
    /// <param name="to">The moment behind the last; null if the request does not name it.</param>
    public static Problem? Validate(DateTimeOffset? from, DateTimeOffset? to) =>
        HasPlaceFor(from) && HasPlaceFor(to)
            ? null
            : Problems.InvalidRequest(
                $"from and to must lie within the years {InspectionKey.FirstYear} to {InspectionKey.LastYear}."
            );

    private static bool HasPlaceFor(DateTimeOffset? time) =>
        time is null || InspectionKey.HasPlaceFor(time.Value.UtcDateTime);
}
