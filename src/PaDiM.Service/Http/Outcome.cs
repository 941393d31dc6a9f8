using PaDiM.Engine.Faults;

namespace PaDiM.Service.Http;

/// <summary>A value or a problem.</summary>
internal readonly struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, Problem? problem)
    {
        _value = value;
        Problem = problem;
    }

    /// <summary>Gets the problem, or null.</summary>
    public Problem? Problem { get; }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Problem problem) => new(default, problem);

    /// <summary>Gets whether there is a value.</summary>
    public bool Succeeded(
        [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T result,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out Problem? problem
    )
    {
        result = _value;
        problem = Problem;
        return problem is null;
    }

    /// <summary>Gets the value. Jobs call it: they fail with the problem's code and sentence.</summary>
    /// <exception cref="UserFaultException">There is a problem.</exception>
    public T GetOrThrow() => Problem is { } problem ? throw new UserFaultException(problem.Fault) : _value!;

    /// <summary>Converts the value or the problem to the response.</summary>
    public IResult ToResult(Func<T, IResult> answer) => Problem is { } problem ? problem : answer(_value!);
}
