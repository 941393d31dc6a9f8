namespace PaDiM.Engine.Faults;

/// <summary>Represents a failure that the user can do something about.</summary>
/// <param name="Code">One of <see cref="ProblemCodes"/>.</param>
/// <param name="Detail">A sentence that says what is wrong and what to do.</param>
public sealed record UserFault(string Code, string Detail);
