namespace PaDiM.Service.Scoring;

/// <summary>
/// An inspection is not on the disk, and its category wants answers to wait until it is. The answer says so with the
/// warning <c>not_recorded</c>; scoring goes on.
/// </summary>
internal sealed class InspectionNotKeptException(string message) : Exception(message);
