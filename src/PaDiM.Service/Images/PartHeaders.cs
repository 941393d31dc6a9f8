using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using PaDiM.Service.Http;

namespace PaDiM.Service.Images;

/// <summary>
/// The headers that name the part of a request. Each has a text field of the same meaning
/// (<see cref="FormFields.Headers"/>); the header wins.
/// </summary>
/// <param name="Part">The part.</param>
/// <param name="Station">The station.</param>
/// <param name="Lot">The lot.</param>
/// <param name="Inspection">The client's identifier of the inspection.</param>
internal sealed partial record PartHeaders(
    [property: FromHeader(Name = RequestIdentity.PartHeader)] string? Part,
    [property: FromHeader(Name = RequestIdentity.StationHeader)] string? Station,
    [property: FromHeader(Name = RequestIdentity.LotHeader)] string? Lot,
    [property: FromHeader(Name = RequestIdentity.InspectionHeader)] string? Inspection
)
{
    /// <summary>Gets the names of a part.</summary>
    /// <param name="context">The request; text fields of its form are read up to now.</param>
    /// <param name="fileName">Names a part that has no other name.</param>
    public Outcome<PartIdentity> Identify(HttpContext context, string? fileName)
    {
        var part = Part;
        if (part is null && FormFields.FindText(context, FormFields.Part) is { } named)
            part = RequestIdentity.NamePart(context, named);
        return Identify(context, part ?? fileName, Station, Lot, Inspection);
    }

    /// <summary>Gets the problem of an identifier that cannot be one, before the body is read; null if it can.</summary>
    public Problem? Validate() => Validate(Inspection);

    /// <summary>Gets the problem of an identifier that cannot be one; null if it can.</summary>
    public static Problem? Validate(string? inspection) =>
        inspection is null || InspectionPattern().IsMatch(inspection) ? null : CreateProblem();

    /// <summary>Gets the names of a part from what headers say, or else text fields.</summary>
    public static Outcome<PartIdentity> Identify(
        HttpContext context,
        string? part,
        string? station,
        string? lot,
        string? inspection
    )
    {
        inspection ??= FormFields.FindText(context, FormFields.Inspection);
        if (Validate(inspection) is { } problem)
            return problem;
        return new PartIdentity(
            RequestIdentity.Clean(part),
            RequestIdentity.Clean(station ?? FormFields.FindText(context, FormFields.Station)),
            RequestIdentity.Clean(lot ?? FormFields.FindText(context, FormFields.Lot)),
            inspection
        );
    }

    /// <summary>Unlike a name, an identifier is not corrected: two of them could become the same.</summary>
    private static Problem CreateProblem() =>
        Problems.InvalidRequest(
            $"{RequestIdentity.InspectionHeader} has 1 to 64 letters, digits, dots, hyphens and underscores, "
                + "and is no dots alone and none of summary, pareto, verdicts and export."
        );

    /// <summary>Leaves out what would be another address below <c>/v1/inspections</c>.</summary>
    [GeneratedRegex(@"\A(?!(?i:\.+|summary|pareto|verdicts|export)\z)[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex InspectionPattern();
}
