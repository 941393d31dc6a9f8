using System.Text.RegularExpressions;

namespace PaDiM.Service.Http;

/// <summary>
/// The rule that names follow. Names become folder names: nothing that is not matched here ever touches a path.
/// </summary>
internal static partial class CategoryName
{
    public const int MaxLength = 64;

    public static bool IsValid(string name) => Pattern().IsMatch(name);

    /// <summary>Answers every request whose route holds a name that breaks the rule.</summary>
    public static ValueTask<object?> Filter(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.GetRouteValue("category") is string name && !IsValid(name)
            ? ValueTask.FromResult<object?>(Problems.InvalidName(name))
            : next(context);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
