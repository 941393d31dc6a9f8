namespace PaDiM.Service.Http;

/// <summary>The client's names for what an image shows, and for the inspection of it.</summary>
/// <param name="Part">The part, such as its serial number, in the form that a log may hold.</param>
/// <param name="Station">The station that took the image, in the same form.</param>
/// <param name="Lot">The lot that the part belongs to, in the same form.</param>
/// <param name="InspectionId">The client's identifier of the inspection; null if it is to get one.</param>
internal sealed record PartIdentity(string? Part, string? Station, string? Lot, string? InspectionId);
