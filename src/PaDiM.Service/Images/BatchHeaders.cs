using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// The headers that name what all files of a batch have in common. Text fields of the same meaning count for the files
/// behind them. The name of a file names its part.
/// </summary>
/// <param name="Station">The station.</param>
/// <param name="Lot">The lot.</param>
/// <param name="Inspection">The beginning of the identifiers of the inspections.</param>
internal sealed record BatchHeaders(
    [property: FromHeader(Name = RequestIdentity.StationHeader)] string? Station,
    [property: FromHeader(Name = RequestIdentity.LotHeader)] string? Lot,
    [property: FromHeader(Name = RequestIdentity.InspectionHeader)] string? Inspection
)
{
    /// <summary>Gets the problem of an identifier that cannot be one; null if it can.</summary>
    public Problem? Validate() => PartHeaders.Validate(Inspection);

    /// <summary>Gets the names of the part that a file shows.</summary>
    public Outcome<PartIdentity> Identify(HttpContext context, string fileName) =>
        PartHeaders.Identify(context, fileName, Station, Lot, Inspection);
}
