using System.Text.RegularExpressions;

namespace PaDiM.Service.Http;

/// <summary>
/// The rule for category names. Names become folder names, so only names that match ever reach a path.
/// </summary>
internal static partial class CategoryName
{
    public const int MaxLength = 64;

    public static bool IsValid(string name) => Pattern().IsMatch(name);

    /// <summary>Refuses requests whose route contains an invalid name.</summary>
    public static ValueTask<object?> Filter(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.GetRouteValue("category") is string name && !IsValid(name)
            ? ValueTask.FromResult<object?>(Problems.InvalidName(name))
            : next(context);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
