namespace PaDiM.Engine.Faults;

/// <summary>Thrown when work cannot go on for a reason that the user can do something about.</summary>
/// <param name="fault">The reason.</param>
/// <param name="innerException">What led to it, or null.</param>
public sealed class UserFaultException(UserFault fault, Exception? innerException = null)
    : Exception(fault.Detail, innerException)
{
    /// <summary>Creates the exception from a code and a sentence.</summary>
    /// <param name="code">One of <see cref="ProblemCodes"/>.</param>
    /// <param name="detail">A sentence that says what is wrong and what to do.</param>
    /// <param name="innerException">What led to it, or null.</param>
    public UserFaultException(string code, string detail, Exception? innerException = null)
        : this(new UserFault(code, detail), innerException) { }

    /// <summary>Gets the reason.</summary>
    public UserFault Fault { get; } = fault;
}
